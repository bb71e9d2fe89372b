import { z } from 'zod';
import { device, id, quantity, reason, rowVersion, warnings } from '../production.contract.js';
import { holdCodes, queueReasons, tokenStatuses } from './token.rules.js';

const rowVersionOf = z.int().min(1).optional().describe('Refused when the token has changed since');
const code = z.string().trim().min(1).max(64);

export const completeStep = z
  .strictObject({ rowVersion: rowVersionOf, device: device.optional() })
  .meta({ id: 'CompleteStep' })
  .prefault({});
export type CompleteStep = z.infer<typeof completeStep>;

export const submitForm = z
  .strictObject({
    values: z
      .record(code, z.union([z.string().max(1_024), z.number(), z.boolean()]))
      .describe('By the names of the form'),
    rowVersion: rowVersionOf,
    device: device.optional(),
  })
  .meta({ id: 'SubmitForm' });
export type SubmitForm = z.infer<typeof submitForm>;

export const approveStep = z
  .strictObject({ note: reason.optional(), rowVersion: rowVersionOf, device: device.optional() })
  .meta({ id: 'ApproveStep' })
  .prefault({});
export type ApproveStep = z.infer<typeof approveStep>;

const qcResults = ['pass', 'fail'] as const;
const severities = ['minor', 'major', 'critical'] as const;

export const judge = z
  .strictObject({
    result: z.enum(qcResults),
    defectCode: code.optional(),
    severity: z.enum(severities).optional(),
    targetNodeCode: code.optional().describe('Where a piece that failed is sent back to'),
    mode: z.enum(['same_piece', 'recut']).default('same_piece').describe('recut: scrapped, and made anew'),
    note: reason.optional(),
    rowVersion: rowVersionOf,
    device: device.optional(),
  })
  .superRefine(({ result, defectCode, severity, targetNodeCode, mode }, context) => {
    if (result === 'fail') {
      if (defectCode === undefined)
        context.addIssue({ code: 'custom', path: ['defectCode'], message: 'says what is wrong' });
      return;
    }
    const given = { defectCode, severity, targetNodeCode };
    for (const [path, value] of Object.entries(given)) {
      if (value !== undefined) context.addIssue({ code: 'custom', path: [path], message: 'is only of what fails' });
    }
    if (mode !== 'same_piece') context.addIssue({ code: 'custom', path: ['mode'], message: 'is only of what fails' });
  })
  .meta({ id: 'Judge' });
export type Judge = z.infer<typeof judge>;

export const scrapToken = z
  .strictObject({
    reason: z.enum(['material_defect', 'operator', 'max_rework']).default('operator'),
    note: reason,
    rowVersion: rowVersionOf,
  })
  .meta({ id: 'ScrapToken' });
export type ScrapToken = z.infer<typeof scrapToken>;

export const moveToken = z.strictObject({ nodeCode: code, reason, rowVersion: rowVersionOf }).meta({ id: 'MoveToken' });
export type MoveToken = z.infer<typeof moveToken>;

export const holdToken = z
  .strictObject({
    holdCode: z.enum(['SUPERVISOR', 'REDESIGN']).default('SUPERVISOR'),
    reason,
    rowVersion: rowVersionOf,
  })
  .meta({ id: 'HoldToken' });
export type HoldToken = z.infer<typeof holdToken>;

export const adjustToken = z
  .strictObject({
    priority: z.int().min(-100).max(100).optional(),
    qty: quantity.optional().describe('Of a batch that is not split up'),
    reworkLimit: z.int().min(0).max(100).nullable().optional().describe('Null: what the node says'),
    reason,
    rowVersion: rowVersionOf,
  })
  .refine(
    ({ priority, qty, reworkLimit }) => priority !== undefined || qty !== undefined || reworkLimit !== undefined,
    {
      message: 'changes nothing',
    },
  )
  .meta({ id: 'AdjustToken' });
export type AdjustToken = z.infer<typeof adjustToken>;

export const stepView = z
  .object({
    tokenId: id,
    status: z.enum(tokenStatuses),
    holdCode: z.enum(holdCodes).nullable(),
    nodeId: id.nullable().describe('Null when its way has ended'),
    nodeCode: z.string().nullable(),
    queueReason: z.enum(queueReasons).nullable(),
    rowVersion,
    made: z.array(id).describe('Tokens that came of it: parts, or what comes in its place'),
    warnings,
  })
  .meta({ id: 'Step' });
export type StepView = z.infer<typeof stepView>;
