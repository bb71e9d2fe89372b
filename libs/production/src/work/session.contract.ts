import { personView } from '@belay/directory';
import { page } from '@belay/platform';
import { z } from 'zod';
import { device, id, reason, rowVersion, warnings } from '../production.contract.js';
import { tokenStatuses } from '../lifecycle/token.rules.js';
import { helpTypes, sessionStatuses } from './session.queries.js';

const rowVersionOf = z.int().min(1).optional().describe('Refused when the token has changed since');

export const startWork = z
  .strictObject({
    mode: z
      .enum(['own', 'assist', 'replace'])
      .default('own')
      .describe('assist: beside whoever works; replace: instead'),
    reason: reason.optional().describe('Needed to replace somebody'),
    confirmUnavailable: z.boolean().default(false).describe('The caller may overrule that they are away'),
    rowVersion: rowVersionOf,
    device: device.optional(),
  })
  .meta({ id: 'StartWork' })
  .prefault({});
export type StartWork = z.infer<typeof startWork>;

export const pauseWork = z
  .strictObject({ reason: reason.optional(), rowVersion: rowVersionOf, device: device.optional() })
  .meta({ id: 'PauseWork' })
  .prefault({});
export type PauseWork = z.infer<typeof pauseWork>;

export const resumeWork = z
  .strictObject({ rowVersion: rowVersionOf, device: device.optional() })
  .meta({ id: 'ResumeWork' })
  .prefault({});
export type ResumeWork = z.infer<typeof resumeWork>;

const seconds = z.number().min(0);

export const sessionView = z
  .object({
    id,
    tokenId: id,
    nodeId: id,
    operatorId: id,
    helpType: z.enum(helpTypes),
    status: z.enum(sessionStatuses),
    startedAt: z.iso.datetime(),
    pausedAt: z.iso.datetime().nullable(),
    resumedAt: z.iso.datetime().nullable(),
    endedAt: z.iso.datetime().nullable(),
    workSeconds: seconds.describe('Until now, when it runs'),
    pauseSeconds: seconds.describe('Until now, when it is paused'),
    pauseCount: z.int(),
    pauseReason: z.string().nullable(),
  })
  .meta({ id: 'WorkSession' });
export type SessionView = z.infer<typeof sessionView>;

export const workView = z
  .object({
    tokenId: id,
    nodeCode: z.string(),
    status: z.enum(tokenStatuses),
    rowVersion,
    session: sessionView,
    warnings,
  })
  .meta({ id: 'Work' });
export type WorkView = z.infer<typeof workView>;

export const currentSessions = z
  .object({
    active: sessionView.nullable().describe('The one work screen that opens by itself'),
    paused: z.array(sessionView).describe('Latest first'),
    suggestPause: z.boolean().describe('Nothing was heard of the active one for ten minutes'),
  })
  .meta({ id: 'CurrentSessions' });
export type CurrentSessions = z.infer<typeof currentSessions>;

export const sessionFilter = page.extend({
  operatorId: id.optional(),
  tokenId: id.optional(),
  status: z
    .enum([...sessionStatuses, 'open'])
    .optional()
    .describe('open: active or paused'),
});
export type SessionFilter = z.infer<typeof sessionFilter>;

export const correctSession = z
  .strictObject({
    act: z.enum(['reopen', 'close']).describe('reopen: an abandoned one is paused again; close: it is over'),
    reason,
  })
  .meta({ id: 'CorrectSession' });
export type CorrectSession = z.infer<typeof correctSession>;

const operatorStatuses = ['working', 'paused', 'available'] as const;

export const currentWork = z
  .object({
    operator: personView,
    status: z.enum(operatorStatuses),
    sessions: z.array(sessionView),
    assigned: z.int().describe('Assignments that wait for them'),
  })
  .meta({ id: 'CurrentWork' });
export type CurrentWork = z.infer<typeof currentWork>;
