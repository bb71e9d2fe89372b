import { z } from 'zod';

const url = (...protocols: string[]) =>
  z.url({ protocol: new RegExp(`^(${protocols.join('|')})$`), error: `must be a ${protocols.join(':// or ')}:// URL` });

const milliseconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);

const list = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )
  .default([]);

const flag = z.stringbool().default(false);

const most = (fallback: number) => z.coerce.number().int().min(1).max(2_147_483_647).default(fallback);

/** Half a pair is told together with whatever else is bad. */
const always = () => true;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Every variable Belay reads, with its meaning. Unknown variables are ignored; a bad one stops the boot and names itself. */
const environment = z
  .object({
    NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
    HOST: z.string().default('127.0.0.1').describe('Address the API listens on'),
    PORT: z.coerce.number().int().min(0).max(65_535).default(3000).describe('Port of the API; 0 takes a free one'),
    WORKER_PORT: z.coerce
      .number()
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe('Health and metrics of a worker; off when absent'),
    DATABASE_URL: url('postgres', 'postgresql').describe('The application database'),
    CONTROL_DATABASE_URL: url('postgres', 'postgresql').describe(
      'The memory of what is done to the application database',
    ),
    DATABASE_POOL: z.coerce.number().int().min(2).max(200).default(10).describe('Connections per process and stage'),
    STATEMENT_TIMEOUT_MS: milliseconds(15_000),
    LOCK_TIMEOUT_MS: milliseconds(5_000),
    REDIS_URL: url('redis', 'rediss').optional().describe('Jobs run on Redis when set, else on PostgreSQL'),
    REDIS_PREFIX: z
      .string()
      .min(1)
      .default('belay')
      .describe('Separates installations on one Redis; {belay} on a cluster'),
    JOB_LOCK_MS: milliseconds(30_000).describe(
      'A worker that was silent this long is taken for dead: its jobs run again',
    ),
    JOB_CONCURRENCY: z.coerce
      .number()
      .int()
      .positive()
      .max(100)
      .default(2)
      .describe('Jobs of one domain at a time, per worker'),
    UNLEASH_URL: url('http', 'https').optional().describe('Base of the Unleash API, e.g. http://localhost:4242/api'),
    UNLEASH_TOKEN: z.string().min(1).optional().describe('Client token of the environment'),
    UNLEASH_ADMIN_TOKEN: z
      .string()
      .min(1)
      .optional()
      .describe("Token of Unleash's admin API; with it a run sets the flags of Unleash to what it has switched off"),
    UNLEASH_PROJECT: z.string().min(1).default('default'),
    UNLEASH_ENVIRONMENT: z.string().min(1).default('development'),
    FLAGS_FILE: z.string().default('.belay/flags.json').describe('Flags when no Unleash is configured; watched'),
    FLAGS_BACKUP_DIR: z.string().default('.belay/flags').describe('Where the last state seen of Unleash is kept'),
    FILES_DIR: z
      .string()
      .default('.belay/files')
      .describe('Where files wait to be fetched; a folder that all APIs and workers share'),
    FLAGS_BOOTSTRAP_FILE: z
      .string()
      .optional()
      .describe('Flags shipped with the release, used when Unleash was never seen'),
    SECRET_KEY: z.base64().min(43).describe('32 bytes in base64; seals the signing keys at rest'),
    BELAY_SIGNING_KEY: z
      .base64()
      .length(44)
      .optional()
      .describe(
        '32 bytes in base64; signs backups and anchors of the audit trail. Derived from SECRET_KEY when absent',
      ),
    TRUSTED_SIGNING_KEYS: list.describe('Comma-separated public keys, in base64, of earlier signing keys'),
    PURGE_AFTER_DAYS: z.coerce
      .number()
      .int()
      .min(2)
      .default(30)
      .describe('How long something is parked before it may be purged'),
    LONG_TRANSACTION_S: z.coerce
      .number()
      .positive()
      .default(30)
      .describe('A transaction that holds a table for longer is in the way of what changes schemas'),
    MOST_REPLICA_LAG_S: z.coerce
      .number()
      .positive()
      .default(10)
      .describe('How far replicas may be behind while schemas are changed'),
    BACKUP_DIR: z.string().min(1).default('.belay/backups').describe('Where backups are kept; shared by all workers'),
    BACKUP_COPY_DIR: z
      .string()
      .min(1)
      .optional()
      .describe('On another volume: where every backup is kept a second time'),
    BACKUP_KEY: z
      .base64()
      .length(44)
      .optional()
      .describe('32 bytes in base64; encrypts the files of backups, which are of no use without it'),
    AUDIT_ANCHOR_FILE: z
      .string()
      .min(1)
      .default('.belay/audit-anchors.jsonl')
      .describe('Where the anchors of the audit trail are kept beside the database; best where only adding is allowed'),
    EMERGENCY_JOURNAL_FILE: z
      .string()
      .min(1)
      .default('.belay/emergency-journal.jsonl')
      .describe('Where the command line writes down what it does while the control database is away'),
    PRODUCTION_SERIAL_PREFIX: z
      .string()
      .regex(/^[A-Z0-9]{1,8}$/, 'must be up to eight capital letters and digits')
      .default('BLY')
      .describe('What the serials of this company begin with'),
    PRODUCTION_SERIAL_KEY: z
      .string()
      .min(8)
      .optional()
      .describe('Makes serials hard to guess; derived from SECRET_KEY when absent'),
    PRODUCTION_MAX_PIECES: most(5_000).describe('Most pieces of one job'),
    CORS_ORIGINS: list.describe('Comma-separated origins that browsers may call from'),
    BODY_LIMIT_BYTES: z.coerce.number().int().positive().default(1_048_576),
    RATE_LIMIT_PER_MINUTE: z.coerce
      .number()
      .int()
      .positive()
      .default(1_200)
      .describe('Requests a minute per account or token'),
    ANONYMOUS_RATE_LIMIT_PER_MINUTE: z.coerce
      .number()
      .int()
      .positive()
      .default(300)
      .describe('Requests a minute per address that bring no token known here, sign-ins included'),
    TRUSTED_PROXIES: list.describe('Comma-separated addresses or ranges whose X-Forwarded-For is believed'),
    LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    LOG_PRETTY: z
      .stringbool()
      .optional()
      .describe('Text for people instead of JSON; unless said, in development on a terminal'),
    METRICS_TOKEN: z
      .string()
      .min(16)
      .optional()
      .describe('Bearer token that /metrics asks for; without it only this machine may read, and nobody in production'),
    PROBE_TOKEN: z
      .string()
      .min(16)
      .optional()
      .describe(
        'API token with which the rollback engine looks at routes that ask for a sign-in; it needs to read only',
      ),
    OIDC_ISSUER: url('http', 'https').optional(),
    OIDC_AUDIENCE: z.string().min(1).optional(),
    OIDC_LINK_CLAIM: z.string().default('email').describe('Claim that names the account; email must be verified'),
    OIDC_ROLES_CLAIM: z.string().default('roles'),
    OIDC_ROLE_MAP: z
      .string()
      .transform((text, context): Record<string, string> => {
        try {
          return z.record(z.string(), z.string()).parse(JSON.parse(text));
        } catch {
          context.addIssue({ code: 'custom', message: 'must be a JSON object of role names' });
          return z.NEVER;
        }
      })
      .default({})
      .describe('JSON object from a claim value to a role of ours'),
    EMERGENCY_ROLLBACK: flag.describe('Boots with every gated module off'),
    WORKER_CONTEXTS: list
      .pipe(z.array(z.enum(['jobs', 'control'])).min(1))
      .default(['jobs', 'control'])
      .describe('Which halves of the worker run here'),
    WMS_STORAGE_CALCULATION_DAY: z.coerce
      .number()
      .int()
      .min(1)
      .max(7)
      .default(1)
      .describe('Weekday whose closing stock new warehouses are billed for; 1 is Monday'),
    WMS_BILLING_CYCLE_START: z.coerce
      .number()
      .int()
      .min(1)
      .max(28)
      .default(16)
      .describe('Day of the month on which the billing periods of new warehouses begin'),
    WMS_DEFAULT_TIMEZONE: z
      .string()
      .refine(isTimeZone, 'must be an IANA time zone')
      .optional()
      .describe('Zone of new warehouses, e.g. Europe/London; that of their site when absent'),
    WMS_MOST_CARTONS_PER_LINE: most(99_999).describe('More cartons on a line of a movement are a slip'),
    WMS_MOST_PALLETS_PER_LINE: most(9_999).describe('More pallets on a line of a movement are a slip'),
    WMS_NOTE_FROM_UNITS: most(1_000).describe('Adjustments of so many units are explained in words'),
    WMS_APPROVAL_UNITS: z.coerce
      .number()
      .int()
      .positive()
      .optional()
      .describe(
        'Adjustments of more units than this are proposed, and posted by a second person; none are when absent',
      ),
    WMS_SECOND_PERSON: z.stringbool().default(true).describe('Who made a count or an invoice does not approve it too'),
    ASSIGNMENT_AUTO_GENERAL_FALLBACK: z
      .stringbool()
      .default(false)
      .describe('Whether general teams get the work of a category that no team has'),
    ASSIGNMENT_SKILLS_ON_START: z
      .enum(['warn', 'block', 'off'])
      .default('warn')
      .describe('What happens to who begins work without the skills that it requires'),
    BUILD_SHA: z.string().default('development'),
  })
  .refine((env) => (env.UNLEASH_URL === undefined) === (env.UNLEASH_TOKEN === undefined), {
    path: ['UNLEASH_TOKEN'],
    error: 'UNLEASH_URL and UNLEASH_TOKEN go together',
    when: always,
  })
  .refine((env) => (env.OIDC_ISSUER === undefined) === (env.OIDC_AUDIENCE === undefined), {
    path: ['OIDC_AUDIENCE'],
    error: 'OIDC_ISSUER and OIDC_AUDIENCE go together',
    when: always,
  });

export type Config = Readonly<z.infer<typeof environment>>;

export class BadConfig extends Error {
  override readonly name = 'BadConfig';
}

/**
 * Reads the environment, the only place that does.
 * Throws `BadConfig` with every bad variable at once, one a line, so that a boot is fixed in one go.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const result = environment.safeParse(given);
  if (result.success) return result.data;
  throw new BadConfig(`The configuration is not usable:\n${z.prettifyError(result.error)}`);
}
