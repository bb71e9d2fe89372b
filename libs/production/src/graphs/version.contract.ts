import { page } from '@belay/platform';
import { z } from 'zod';
import { id } from '../production.contract.js';
import { condition } from './graph.contract.js';
import { edgeTypes, productionModes, teamCategories } from './graph.rules.js';
import { nodeTypes } from './node-type.rules.js';

const versionStatus = z.enum(['published', 'retired']).describe('retired: no new jobs; running ones go on');

const facts = {
  id,
  graphId: id,
  graphCode: z.string(),
  version: z.int().positive(),
  checksum: z.string(),
  status: versionStatus,
  allowNewJobs: z.boolean(),
  publishedAt: z.iso.datetime(),
  publishedBy: id,
};

export const versionItem = z.object(facts).meta({ id: 'GraphVersionItem' });
export type VersionItem = z.infer<typeof versionItem>;

export const versionView = z
  .object({
    ...facts,
    nodes: z.array(
      z.object({
        id,
        code: z.string(),
        name: z.string(),
        type: z.enum(nodeTypes),
        operable: z.boolean().describe('People work there'),
        productionMode: z.enum(productionModes),
        teamCategory: z.enum(teamCategories).nullable(),
        workCenterId: id.nullable(),
        estimatedMinutes: z.number().nullable(),
      }),
    ),
    edges: z.array(
      z.object({
        from: z.string(),
        to: z.string(),
        type: z.enum(edgeTypes),
        condition: condition.nullable(),
        isDefault: z.boolean(),
        priority: z.int(),
        label: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'GraphVersion' });
export type VersionView = z.infer<typeof versionView>;

export const versionFilter = page;
export type VersionFilter = z.infer<typeof versionFilter>;

export const changeVersion = z
  .strictObject({ status: versionStatus, allowNewJobs: z.boolean() })
  .partial()
  .meta({ id: 'ChangeGraphVersion' });
export type ChangeVersion = z.infer<typeof changeVersion>;
