import { jobType, line, page } from '@belay/platform';
import { z } from 'zod';
import { id, idOrCode } from '../wms.contract.js';

const importKinds = ['sku_master', 'warehouse_config', 'cost_master', 'inventory_ledger', 'invoice'] as const;
export type ImportKind = (typeof importKinds)[number];

const importStates = ['uploaded', 'checking', 'checked', 'committing', 'committed', 'failed', 'cancelled'] as const;

export const mostBytes = 20 * 1024 * 1024;
export const mostRows = 100_000;
/** Rows that are committed while the request waits; more of them are a job. */
export const mostRowsAtOnce = 5_000;

const dayOrder = z.enum(['DMY', 'MDY']);

export const importUpload = z
  .strictObject({
    kind: z.enum(importKinds),
    warehouse: idOrCode.optional().describe('Whose file it is; needed for all kinds but sku_master'),
    dates: dayOrder.optional().describe('How dates such as 03/04/2025 are meant; without it they are errors'),
    opening: z
      .literal('least')
      .optional()
      .describe('inventory_ledger: opening stock is posted first, the least with which no stock is ever negative'),
    fileName: line(200).default('upload.csv'),
  })
  .refine(({ kind, warehouse }) => kind === 'sku_master' || warehouse !== undefined, {
    path: ['warehouse'],
    error: 'must be given',
  })
  .refine(({ kind, warehouse }) => kind !== 'sku_master' || warehouse === undefined, {
    path: ['warehouse'],
    error: 'must not be given: SKUs belong to no warehouse',
  })
  .refine(({ kind, opening }) => opening === undefined || kind === 'inventory_ledger', {
    path: ['opening'],
    error: 'means something only for inventory_ledger',
  });
export type ImportUpload = z.infer<typeof importUpload>;

export const importCommit = z
  .strictObject({
    skipErrors: z
      .boolean()
      .default(false)
      .describe('Documents without errors are committed, each for itself; else everything or nothing'),
  })
  .meta({ id: 'ImportCommit' });
export type ImportCommit = z.infer<typeof importCommit>;

const rows = z.int().min(0);

const summary = {
  id,
  kind: z.enum(importKinds),
  warehouse: z.string().nullable().describe('Its code'),
  fileName: z.string(),
  fileSha256: z.string(),
  bytes: z.int(),
  status: z.enum(importStates),
  rowsTotal: rows.nullable(),
  rowsDone: rows.describe('Committed, or left out because of an error'),
  rowsOk: rows,
  rowsWarning: rows,
  rowsError: rows,
  ignoredColumns: z.array(z.string()).describe('Columns of the file that mean nothing to this kind'),
  failure: z.string().nullable().describe('Why the last commit was broken off'),
  committedAt: z.iso.datetime().nullable(),
  createdBy: id,
  createdAt: z.iso.datetime(),
};

export const importView = z.object(summary).meta({ id: 'Import' });
export type ImportView = z.infer<typeof importView>;

const importIssue = z
  .object({
    row: z.int().describe('Counted from 1, without the header'),
    line: z.int().describe('Of the file'),
    column: z.string().nullable().describe('Null when it is about the whole row'),
    severity: z.enum(['warning', 'error']),
    code: z.string(),
    detail: z.string(),
  })
  .meta({ id: 'ImportIssue' });
export type ImportIssue = z.infer<typeof importIssue>;

export const importReport = z
  .object({
    ...summary,
    issues: z.array(importIssue).describe('Rows that are not named are ok'),
    next: z.string().nullable().describe('Cursor of the next page of issues; null on the last'),
  })
  .meta({ id: 'ImportReport' });
export type ImportReport = z.infer<typeof importReport>;

export const issueFilter = page.extend({ severity: z.enum(['warning', 'error']).optional() });
export type IssueFilter = z.infer<typeof issueFilter>;

export const commitImport = jobType({
  domain: 'wms',
  name: 'commit-import',
  payload: z.object({ importId: z.uuid() }),
});
