import { line } from '@belay/platform';
import { z } from 'zod';

export const id = z.uuid();
export const nodeCode = line(64).describe('Of a node of a graph, whatever its version');
export const instant = z.iso.datetime({ offset: true });
export const day = z.iso.date();
export const rowVersion = z.int();

export const assigneeTypes = ['operator', 'team'] as const;
export type AssigneeType = (typeof assigneeTypes)[number];

export const assignee = z
  .strictObject({ type: z.enum(assigneeTypes), id })
  .meta({ id: 'PlannedAssignee' })
  .describe('A person, or a team of which somebody is chosen');
export type PlannedAssignee = z.infer<typeof assignee>;

/** Why something was done, in the words of who did it. */
export const reason = line(500);
