import { line, page } from '@belay/platform';
import { z } from 'zod';
import { excessOf } from '../graphs/json-bounds.rules.js';
import { id, instant, quantity, reason, rowVersion } from '../production.contract.js';
import { skuOfSerial } from './serial.rules.js';
import { executions, jobLines, jobStatuses, processModes } from './ticket.rules.js';

const attributes = z
  .record(z.string().min(1).max(64), z.union([z.string(), z.number(), z.boolean(), z.null()]))
  .superRefine((value, context) => {
    const excess = excessOf(value);
    if (excess !== null) context.addIssue({ code: 'custom', message: excess });
  })
  .describe('What routing may ask for, e.g. order_channel and customer_tier');

const priority = z.int().min(-100).max(100).describe('Higher goes first');

const sku = line(64).nullable();

const facts = {
  productId: id.nullable(),
  sku,
  productName: line(200).nullable(),
  targetQty: quantity,
  attributes,
  notes: z.string().trim().min(1).max(2_000).nullable(),
  dueAt: instant.nullable(),
  priority,
};

export const draftTicket = z
  .strictObject({
    code: line(40).optional().describe('JT, the day and a number unless said'),
    siteId: id,
    graphId: id,
    version: z.int().positive().optional().describe('The newest that takes new jobs unless said'),
    line: z.enum(jobLines),
    processMode: z.enum(processModes).describe('piece: one token each, with a serial; batch: one for all'),
    execution: z.enum(executions).default('tokens').describe('stations: run by station scans, without tokens'),
    ...facts,
    productId: facts.productId.default(null),
    sku: facts.sku.default(null),
    productName: facts.productName.default(null),
    attributes: attributes.default({}),
    notes: facts.notes.default(null),
    dueAt: facts.dueAt.default(null),
    priority: priority.default(0),
  })
  .superRefine((ticket, context) => {
    if (ticket.processMode !== 'piece') return;
    for (const [path, message] of piecesNeed(ticket)) context.addIssue({ code: 'custom', path: [path], message });
  })
  .meta({ id: 'DraftJobTicket' });
export type DraftTicket = z.infer<typeof draftTicket>;

export const changeTicket = z.strictObject(facts).partial().meta({
  id: 'ChangeJobTicket',
  description: 'Due date and priority can always be changed, everything else while the job is planned.',
});
export type ChangeTicket = z.infer<typeof changeTicket>;

/** What is missing before pieces can be made of it: where, and what. */
export function piecesNeed(ticket: { readonly sku: string | null; readonly targetQty: number }): [string, string][] {
  const missing: [string, string][] = [];
  if (!Number.isInteger(ticket.targetQty)) missing.push(['targetQty', 'must be a whole number of pieces']);
  if (skuOfSerial(ticket.sku ?? '') === '') missing.push(['sku', 'must hold a letter or digit, for the serials']);
  return missing;
}

export const ticketView = z
  .object({
    id,
    code: z.string(),
    siteId: id,
    line: z.enum(jobLines),
    processMode: z.enum(processModes),
    execution: z.enum(executions),
    productId: id.nullable(),
    sku: z.string().nullable(),
    productName: z.string().nullable(),
    targetQty: z.number(),
    graphId: id,
    graphVersionId: id,
    version: z.int(),
    status: z.enum(jobStatuses),
    paused: z.boolean(),
    stage: z.enum(['qc', 'rework']).nullable().describe('qc: all that lives is there; rework: some is worked on again'),
    attempt: z.int().nullable().describe('Null while it was never started'),
    priority: z.int(),
    dueAt: z.iso.datetime().nullable(),
    attributes: z.record(z.string(), z.json()),
    notes: z.string().nullable(),
    startedAt: z.iso.datetime().nullable(),
    completedAt: z.iso.datetime().nullable(),
    cancelledAt: z.iso.datetime().nullable(),
    cancelReason: z.string().nullable(),
    createdAt: z.iso.datetime(),
    rowVersion,
  })
  .meta({ id: 'JobTicket' });
export type TicketView = z.infer<typeof ticketView>;

export const ticketFilter = page.extend({
  siteId: id.optional(),
  line: z.enum(jobLines).optional(),
  status: z.enum(jobStatuses).optional(),
  execution: z.enum(executions).optional(),
  dueBefore: instant.optional(),
  code: line(40).optional(),
});
export type TicketFilter = z.infer<typeof ticketFilter>;

export const reserveSerials = z
  .strictObject({
    qty: z.int().positive().optional().describe('Must be what the job makes'),
    printed: z.boolean().default(false).describe('Notes on all of them that their labels were printed'),
  })
  .prefault({})
  .meta({ id: 'ReserveSerials' });
export type ReserveSerials = z.infer<typeof reserveSerials>;

export const serialList = z
  .object({
    serials: z.array(z.object({ spawnSeq: z.int(), serial: z.string(), printedAt: z.iso.datetime().nullable() })),
  })
  .meta({ id: 'JobSerials' });
export type SerialList = z.infer<typeof serialList>;

export const runView = z
  .object({
    ticket: ticketView,
    spawned: z.boolean().describe('False when the tokens were there already'),
    tokens: z.int().describe('Top-level tokens of this attempt'),
  })
  .meta({ id: 'JobRun' });
export type RunView = z.infer<typeof runView>;

const handOverTo = {
  nodeCode: line(64).optional().describe('The first node that is not finished unless said'),
  qty: quantity.optional().describe('What the node before has made well unless said'),
};

export const handOver = z.strictObject({ ...handOverTo, reason }).meta({ id: 'HandOver' });
export type HandOver = z.infer<typeof handOver>;

export const handOverMany = z
  .strictObject({
    ids: z
      .union([z.array(id).min(1).max(200), z.literal('all')])
      .describe('all: every job that is run by station scans, at the sites where the caller may; 200 at a time'),
    reason,
  })
  .meta({ id: 'HandOverMany' });
export type HandOverMany = z.infer<typeof handOverMany>;

export const handedOver = z
  .object({
    handedOver: z.int(),
    total: z.int(),
    remaining: z.int().describe('Of all, not yet tried'),
    errors: z.array(z.object({ id, code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'HandedOver' });
export type HandedOver = z.infer<typeof handedOver>;

const nodeStates = ['pending', 'active', 'waiting', 'paused', 'blocked', 'completed'] as const;
export type NodeState = (typeof nodeStates)[number];

export const progressView = z
  .object({
    id,
    execution: z.enum(executions),
    targetQty: z.number(),
    completedQty: z.number().describe('What has come to an end of the graph'),
    scrappedQty: z.number(),
    liveQty: z.number(),
    nodes: z.array(
      z.object({
        nodeCode: z.string(),
        name: z.string(),
        type: z.string(),
        state: z
          .enum(nodeStates)
          .describe('active: worked on or ready; blocked: all that is there is held; derived, never stored'),
        live: z.int(),
        liveQty: z.number(),
        passedQty: z.number().describe('Of all visits that are over; at stations, what was good'),
        scrappedQty: z.number(),
      }),
    ),
  })
  .meta({ id: 'JobProgress' });
export type ProgressView = z.infer<typeof progressView>;
