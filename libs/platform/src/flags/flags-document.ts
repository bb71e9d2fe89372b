import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { ClientFeaturesResponse } from 'unleash-client';
import { z } from 'zod';
import type { Domain } from '../domain/domain.js';
import { reasonOf } from './reason.js';
import { EMERGENCY_ROLLBACK, registeredFlags } from './registry.js';

/** What Unleash answers to its clients, and what flags.json holds. */
export type FlagsDocument = ClientFeaturesResponse;
export type FlagDefinition = FlagsDocument['features'][number];
export type FlagSegment = NonNullable<FlagsDocument['segments']>[number];

export class BadFlags extends Error {
  override readonly name = 'BadFlags';
}

const variant = z.looseObject({ name: z.string(), weight: z.number().default(1_000) });

const constraint = z.looseObject({
  contextName: z.string(),
  operator: z.string(),
  values: z.array(z.string()).default([]),
  inverted: z.boolean().default(false),
});

const strategy = z.looseObject({
  name: z.string(),
  parameters: z.record(z.string(), z.unknown()).default({}),
  constraints: z.array(constraint).default([]),
  segments: z.array(z.number()).exactOptional(),
  variants: z.array(variant).exactOptional(),
  disabled: z.boolean().exactOptional(),
});

const feature = z.looseObject({
  name: z.string().min(1),
  enabled: z.boolean(),
  strategies: z
    .array(strategy)
    .default([])
    .transform((strategies) => strategies.filter(({ disabled }) => disabled !== true)),
  variants: z.array(variant).nullish(),
});

const document = z.looseObject({
  version: z.number().default(2),
  features: z.array(feature),
  segments: z.array(z.looseObject({ id: z.number(), constraints: z.array(constraint).default([]) })).exactOptional(),
});

/** Throws `BadFlags` that says what is wrong. Strategies that are disabled are left out: they decide nothing. */
export function parseFlags(value: unknown): FlagsDocument {
  const result = document.safeParse(value);
  if (!result.success) throw new BadFlags(z.prettifyError(result.error));
  const flags: unknown = result.data;
  if (isFlagsDocument(flags)) return flags;
  throw new BadFlags('It is no flags document.');
}

export function parseFlagsText(text: string): FlagsDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadFlags(reasonOf(error));
  }
  return parseFlags(value);
}

// The client's own types name operators and payloads one by one; newer servers may send more, which it reads as "no".
function isFlagsDocument(value: unknown): value is FlagsDocument {
  return document.safeParse(value).success;
}

/** Equal for documents that decide the same, in whatever order they list it. */
export function fingerprint({ features, segments = [] }: FlagsDocument): string {
  const sorted = {
    features: features.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    segments: segments.toSorted((one, other) => one.id - other.id),
  };
  return createHash('sha256')
    .update(canonicalize(sorted) ?? '')
    .digest('hex');
}

/** Every flag of the release with its default, each ready to be switched by `enabled` alone: the first flags.json. */
export function defaultFlagsDocument(domains: readonly Domain[]): FlagsDocument {
  const known = registeredFlags(domains).map(({ flag, title, defaultOn }) => ({ flag, title, enabled: defaultOn }));
  const emergency = { flag: EMERGENCY_ROLLBACK, title: 'Every gated module and feature off', enabled: false };
  return parseFlags({
    version: 2,
    features: [...known, emergency].map(({ flag, title, enabled }) => ({
      name: flag,
      description: title,
      enabled,
      strategies: [
        {
          name: 'flexibleRollout',
          parameters: { rollout: '100', stickiness: 'default', groupId: flag },
          constraints: [],
        },
      ],
      variants: [],
    })),
  });
}
