import { z } from 'zod';
import { line, page } from '@belay/platform';
import { id } from '../directory.contract.js';
import { permissions } from '../directory.permissions.js';

const LONGEST_DAYS = 365;

export const draftToken = z
  .strictObject({
    name: line(80),
    scopes: z
      .array(z.string().refine((name) => permissions.has(name), 'is no permission'))
      .min(1)
      .max(200)
      .describe('What the token may do, never more than its account'),
    siteId: id.nullable().default(null).describe('The only site at which it works; null is each of the account’s'),
    days: z.number().int().min(1).max(LONGEST_DAYS).default(90).describe('Days for which it is good'),
  })
  .meta({ id: 'DraftToken' });
export type DraftToken = z.infer<typeof draftToken>;

export const tokenView = z
  .object({
    id,
    accountId: id,
    name: z.string(),
    prefix: z.string().describe('How the token begins'),
    scopes: z.array(z.string()),
    siteId: id.nullable(),
    expiresAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Token' });
export type TokenView = z.infer<typeof tokenView>;

export const issuedToken = tokenView
  .extend({ token: z.string().describe('Shown this once; Belay keeps only its hash') })
  .meta({ id: 'IssuedToken' });
export type IssuedToken = z.infer<typeof issuedToken>;

export const tokenFilter = page;
export type TokenFilter = z.infer<typeof tokenFilter>;
