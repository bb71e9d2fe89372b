import { z } from 'zod';

/** What a journal can keep and canonical JSON can write. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export type JsonObject = Readonly<Record<string, Json>>;

/** One for all contracts, because documents that name it must mean the same. */
export const jsonValue = z.json().register(z.globalRegistry, { id: 'JsonValue' });
