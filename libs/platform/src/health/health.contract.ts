import { z } from 'zod';
import { modes } from '../flags/mode.js';

export const liveness = z.object({ status: z.literal('up'), uptimeSeconds: z.number() }).meta({ id: 'Liveness' });
export type Liveness = z.infer<typeof liveness>;

const healthCheck = z
  .object({
    name: z.string().describe('What was looked at'),
    ok: z.boolean(),
    detail: z.string().describe('For people; holds no address and no secret'),
  })
  .meta({ id: 'HealthCheck' });
export type HealthCheck = z.infer<typeof healthCheck>;

export const readiness = z.object({ ready: z.boolean(), checks: z.array(healthCheck) }).meta({ id: 'Readiness' });
export type Readiness = z.infer<typeof readiness>;

const mode = z.enum(modes).describe('For everybody without a rule of their own');
const flagVerdict = z
  .object({
    flag: z.string(),
    mode,
    source: z
      .object({
        known: z.boolean().describe('Whether the source has the flag; else the default of the release speaks'),
        on: z.boolean(),
        mode,
        gradual: z.boolean().describe('Whether the answer depends on who asks'),
      })
      .describe('What Unleash or the flags file says'),
    parentsOff: z.array(z.string()).describe('Domains that it needs and that are off'),
    killed: z.boolean().describe('Switched off by hand'),
    emergency: z.boolean(),
    failSafe: z.boolean().describe('Off because overrides are unread for too long'),
  })
  .meta({ id: 'FlagVerdict' });

/** What `healthOfDomains` answers; public, so it names no person and gives no reason. */
export const domainsHealth = z
  .object({
    processId: z.uuid(),
    emergency: z.boolean(),
    writesAllowed: z.boolean(),
    flags: z.object({
      origin: z.enum(['unleash', 'backup', 'bootstrap', 'file', 'defaults']),
      agreedAt: z.iso.datetime().nullable(),
      sha256: z.string(),
    }),
    overlay: z.object({
      seq: z.string(),
      readAt: z.iso.datetime().nullable(),
      listening: z.boolean().describe('Whether a change is heard of at once, not only within a second'),
      failSafe: z.boolean(),
    }),
    domains: z.array(
      z.object({
        name: z.string(),
        title: z.string(),
        mode,
        booted: z.boolean().describe('Whether it is composed in this process'),
        after: z.array(z.string()),
        verdict: flagVerdict.nullable().describe('Null for a core domain, which has no flag'),
        features: z.array(flagVerdict.extend({ title: z.string() }).meta({ id: 'FeatureHealth' })),
      }),
    ),
  })
  .meta({ id: 'DomainsHealth' });
