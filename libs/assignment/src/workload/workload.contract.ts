import { page } from '@belay/platform';
import { personView } from '@belay/directory';
import { z } from 'zod';
import { id } from '../assignment.contract.js';
import { personStatuses } from './person-status.rules.js';

const loadModes = ['count', 'weighted', 'minutes', 'combined'] as const;

const session = z.object({
  status: z.enum(['active', 'paused']),
  tokenId: id,
  serial: z.string().nullable(),
  nodeCode: z.string(),
  nodeName: z.string(),
  jobTicketId: id,
  jobCode: z.string(),
  helpType: z.enum(['own', 'assist', 'replace']),
  since: z.iso.datetime(),
});

const work = {
  open: z.int().describe('Assignments that are open, over all nodes'),
  today: z.int().describe('Assigned today'),
};

export const workloadView = z
  .object({
    teamId: id,
    code: z.string(),
    name: z.string(),
    siteId: id,
    loadMode: z.enum(loadModes),
    mean: z.number().describe('Of those who are there, as the next two'),
    sigma: z.number().describe('How unevenly the work lies: standard deviation'),
    drift: z.number().describe('Mean distance from the mean, as a share of it'),
    people: z.array(
      z.object({
        person: personView,
        available: z.boolean(),
        load: z.number().describe('In the measure of the team'),
        ...work,
        sessions: z.int(),
        capacityPerDay: z.int(),
      }),
    ),
  })
  .meta({ id: 'Workload' });
export type WorkloadView = z.infer<typeof workloadView>;

export const workloadFilter = page.extend({
  siteId: id.optional(),
  limit: z.coerce.number().int().min(1).max(50).default(20).describe('Teams on a page'),
});
export type WorkloadFilter = z.infer<typeof workloadFilter>;

export const monitorFilter = page.extend({
  teamId: id.optional(),
  status: z.enum(personStatuses).optional(),
});
export type MonitorFilter = z.infer<typeof monitorFilter>;

const monitoredPerson = z.object({
  person: personView,
  teamIds: z.array(id),
  status: z.enum(personStatuses),
  reason: z.string().nullable().describe('Why they are not there'),
  until: z.iso.datetime().nullable(),
  ...work,
  current: session.nullable().describe('What they work on, else what they put aside last'),
  warning: z.literal('works-while-unavailable').nullable(),
});

export const peopleMonitor = z
  .object({
    counts: z.record(z.enum(personStatuses), z.int()).describe('Of everybody you see, whatever the page'),
    items: z.array(monitoredPerson),
    next: z.string().nullable().describe('Cursor of the next page; null on the last'),
  })
  .meta({ id: 'PeopleMonitor' });
export type PeopleMonitor = z.infer<typeof peopleMonitor>;
