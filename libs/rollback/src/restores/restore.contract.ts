import { z } from 'zod';

const domain = z.string().min(1);
const tables = z.array(z.string().regex(/^[a-z0-9_]+\.[A-Za-z0-9_]+$/)).min(1);

/** R2: rows to what they were at a marker. */
export const markedRowsInput = z.strictObject({
  path: z.literal('R2').default('R2'),
  domain,
  markerId: z.uuid(),
  mode: z.enum(['compensate', 'selective']).nullable().default(null),
  /** Qualified; all of the domain when null. */
  tables: tables.nullable().default(null),
  /** Whose changes, and which records by the domain's own keys (without hooks: columns), are taken back alone. */
  only: z
    .strictObject({
      actors: z.array(z.string()).nullable().default(null),
      keys: z.record(z.string(), z.array(z.string())).nullable().default(null),
    })
    .nullable()
    .default(null),
  /** Whose changes stay. */
  excludeActors: z.array(z.string()).nullable().default(null),
  /** Of the preview that people agreed to; refused when something was changed since. */
  planHash: z.string().nullable().default(null),
});
export type MarkedRowsInput = z.infer<typeof markedRowsInput>;

export const keptRowsFields = z.strictObject({
  path: z.literal('R3'),
  domain,
  backupId: z.uuid().nullable().default(null),
  /** A schema that an earlier restore put aside, e.g. `wms__failed_1a2b3c4d`. */
  failedSchema: z
    .string()
    .regex(/^[a-z_]+__(failed|undone)_[0-9a-f]{8}$/)
    .nullable()
    .default(null),
  /** A database that an earlier restore put aside, e.g. `belay_failed_1a2b3c4d`. */
  failedDatabase: z
    .string()
    .regex(/^[a-z0-9_]+_(failed|undone)_[0-9a-f]{8}$/)
    .nullable()
    .default(null),
  tables,
  classes: z
    .array(z.enum(['missing', 'changed']))
    .min(1)
    .default(['missing', 'changed']),
});

/** Exactly one of them. */
export function namesOneSource(
  asked: Readonly<Record<'backupId' | 'failedSchema' | 'failedDatabase', string | null>>,
): boolean {
  return [asked.backupId, asked.failedSchema, asked.failedDatabase].filter((source) => source !== null).length === 1;
}

export const oneSource = { error: 'Name one source: backupId, failedSchema or failedDatabase' };

/** R3: rows that a backup, or what an earlier restore put aside, has and the tables have not, or have otherwise. */
const keptRowsInput = keptRowsFields.refine(namesOneSource, oneSource);
export type KeptRowsInput = z.infer<typeof keptRowsInput>;

export const rowsRestoreInput = z.union([markedRowsInput, keptRowsInput]);

/** R4: one domain as it was in a backup. */
export const domainRestoreInput = z.strictObject({ domain, backupId: z.uuid() });
export type DomainRestoreInput = z.infer<typeof domainRestoreInput>;

/** R5: the whole application database as it was in a backup. */
export const databaseRestoreInput = z.strictObject({
  scope: z.literal('application').default('application'),
  backupId: z.uuid(),
});
export type DatabaseRestoreInput = z.infer<typeof databaseRestoreInput>;
