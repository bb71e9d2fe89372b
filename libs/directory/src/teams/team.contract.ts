import { z } from 'zod';
import { line, page, search, yesOrNo } from '@belay/platform';
import { code, id } from '../directory.contract.js';
import { personView } from '../people/person.contract.js';
import { memberRoles } from './team-member.entity.js';
import { dispatchModes, loadModes, productionModes, teamCategories } from './team.entity.js';

const details = {
  code,
  name: line(120),
  siteId: id,
  teamCategory: z.enum(teamCategories),
  productionMode: z.enum(productionModes),
  loadMode: z.enum(loadModes).describe('How the load of a member is counted when work is shared out'),
  dispatchMode: z.enum(dispatchModes).describe('PUSH: work is given to members; TEAM_PULL: members take it'),
  active: z.boolean(),
};

export const draftTeam = z
  .strictObject({
    ...details,
    teamCategory: details.teamCategory.default('general'),
    productionMode: details.productionMode.default('hybrid'),
    loadMode: details.loadMode.default('count'),
    dispatchMode: details.dispatchMode.default('PUSH'),
    active: details.active.default(true),
  })
  .meta({ id: 'DraftTeam' });
export type DraftTeam = z.infer<typeof draftTeam>;

export const changeTeam = z.strictObject(details).partial().meta({ id: 'ChangeTeam' });
export type ChangeTeam = z.infer<typeof changeTeam>;

export const teamView = z
  .object({ id, ...details, createdAt: z.iso.datetime(), rowVersion: z.number().int() })
  .meta({ id: 'Team' });
export type TeamView = z.infer<typeof teamView>;

export const teamFilter = page.extend({
  search: search.describe('Part of a name or code'),
  siteId: id.optional(),
  teamCategory: z.enum(teamCategories).optional(),
  active: yesOrNo,
});
export type TeamFilter = z.infer<typeof teamFilter>;

const membership = {
  role: z.enum(memberRoles),
  capacityPerDay: z.number().int().min(0).max(10_000),
  sortPriority: z.number().int().min(0).max(100).describe('Lower comes first'),
  active: z.boolean(),
};

export const placeMember = z
  .strictObject({
    role: membership.role.default('member'),
    capacityPerDay: membership.capacityPerDay.default(10),
    sortPriority: membership.sortPriority.default(50),
    active: membership.active.default(true),
  })
  .meta({ id: 'PlaceMember' });
export type PlaceMember = z.infer<typeof placeMember>;

export const memberView = z
  .object({
    teamId: id,
    ...membership,
    joinedAt: z.iso.datetime(),
    person: personView,
  })
  .meta({ id: 'TeamMember' });
export type MemberView = z.infer<typeof memberView>;

export const memberFilter = page;
export type MemberFilter = z.infer<typeof memberFilter>;
