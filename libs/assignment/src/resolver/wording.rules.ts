import type { NotFound, Shortlist } from './search.rules.js';
import type { KnownNode } from './snapshot.rules.js';

const whose: Readonly<Record<string, string>> = {
  token: 'for this token',
  job_node: 'for this node of the job',
  node: 'for this node',
  job: 'for the job',
  node_default: 'the team the node prefers',
};

const ties: Readonly<Record<string, string>> = {
  AUTO_TIE_CYCLE: 'usually done soonest',
  AUTO_TIE_LRU: 'longest without new work',
  AUTO_ROUND_ROBIN: 'next in turn',
};

/** Why somebody was chosen, in a few words: `sewing; 3 open, lowest of 5`. */
export function chosenText(node: KnownNode, found: Shortlist, tier: string, reasonCode: string): string {
  const { best, candidates } = found;
  const load = `${Number(best.load.toFixed(2))} open`;
  const among = `${load}, ${ties[reasonCode] ?? 'lowest'} of ${candidates.length}`;
  if (tier === 'auto') return `${node.teamCategory ?? 'general'}; ${among}`;
  const why = whose[tier] ?? tier;
  const set = tier === 'node_default' ? why : `${reasonCode.startsWith('PIN') ? 'pinned' : 'planned'} ${why}`;
  return found.named ? set : `${set}; ${among}`;
}

const nobody: Readonly<Record<NotFound['kind'], string>> = {
  no_team: 'no team does this work here',
  inactive: 'the team is not active',
  team_forbidden: 'the node forbids the team',
  team_not_allowed: 'the node does not allow the team',
  mode_mismatch: 'no team does this work in the mode of the node',
  away: 'nobody is there',
  unskilled: 'nobody there has the skills',
  full: 'everybody has as much as they can do today',
  rejected: 'whoever could do it has rejected it',
};

/** Why nobody was. */
export function notFoundText({ kind }: NotFound): string {
  return nobody[kind];
}
