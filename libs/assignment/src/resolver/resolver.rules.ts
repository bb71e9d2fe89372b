import type { Alternative, Assignee, Decision, Question } from '@belay/production';
import { spreadOf, type Spread } from './load.rules.js';
import { People, type Dropped } from './people.rules.js';
import { rulesOf, type Rule, type RuleScope } from './precedence.rules.js';
import { tieBreak, type Candidate } from './ranking.rules.js';
import {
  searchAuto,
  searchRule,
  searchTeam,
  type Found,
  type NotFound,
  type Search,
  type Shortlist,
} from './search.rules.js';
import type { AskedToken, Snapshot } from './snapshot.rules.js';
import { Tally } from './tally.rules.js';
import { chosenText, notFoundText } from './wording.rules.js';

type Tier = RuleScope | 'node_default' | 'auto';

/** One thing that was tried, and what came of it. */
interface Step {
  readonly tier: Tier;
  readonly outcome: string;
  readonly planRef?: string;
  readonly target?: { readonly type: 'operator' | 'team'; readonly id: string };
}

/** Why a decision came out as it did; from the candidates it can be made again. */
interface Trace {
  readonly at: string;
  readonly enforced: boolean;
  readonly steps: readonly Step[];
  /** Those the last step chose from, the best first; of many the best twenty. */
  readonly candidates: readonly Candidate[];
  readonly dropped: readonly Dropped[];
  /** How the load lies on all candidates. */
  readonly load: Spread;
  /** The choice that a full limit, or a trial run, keeps from being made. */
  readonly withheld?: { readonly tier: Tier; readonly reasonCode: string; readonly assignee: Assignee };
}

export type Resolution = Decision & { readonly tier: Tier | null; readonly trace: Trace };

export interface Resolved {
  readonly resolutions: readonly Resolution[];
  /** Where the rounds of the teams have got to, of those that moved. */
  readonly turns: ReadonlyMap<string, string>;
}

/** What is full, so that nobody gets anything: a limit, or even the queue before it. */
type FullLimit = Question['limit'] | 'QUEUE_LIMIT';

export interface Conditions {
  readonly limit: FullLimit;
  /** The automatic choice is only written down. */
  readonly shadow: boolean;
}

/** A spawn of a thousand tokens writes them a thousand times. */
const mostWritten = 20;
const mostAlternatives = 3;

/** Decides for one token after the other; the same snapshot, tokens and conditions lead to the same people. */
export function resolve(snapshot: Snapshot, tokens: readonly AskedToken[], { limit, shadow }: Conditions): Resolved {
  const dispatch = new Dispatch(snapshot, shadow);
  return { resolutions: tokens.map((token) => dispatch.decide(token, limit)), turns: dispatch.turns };
}

/** The decisions of a node, each of which sees what those before it have given out. */
export class Dispatch {
  readonly #people: People;
  readonly #tally: Tally;
  readonly #general: readonly Rule[];
  readonly #pinned: ReadonlySet<string | null>;

  constructor(
    readonly snapshot: Snapshot,
    private readonly shadow: boolean,
  ) {
    this.#people = new People(snapshot);
    this.#tally = new Tally(snapshot, this.#people);
    this.#general = snapshot.rules.filter(({ tokenId }) => tokenId === null);
    this.#pinned = new Set(snapshot.rules.map(({ tokenId }) => tokenId));
  }

  /** Where the rounds of the teams have got to, of those that moved. */
  get turns(): ReadonlyMap<string, string> {
    return this.#tally.turns;
  }

  decide(token: AskedToken, limit: FullLimit): Resolution {
    const { snapshot, shadow } = this;
    const rules = rulesOf(this.#pinned.has(token.id) ? snapshot.rules : this.#general, token);
    const search = { snapshot, people: this.#people, tally: this.#tally, token };
    return new Case(search, { limit, shadow }).decide(rules);
  }

  /** Somebody was given a token at another node. */
  heard(operatorId: string, token: AskedToken): void {
    this.#tally.give(operatorId, token);
  }

  /** How many open assignments somebody has by now. */
  openOf(operatorId: string): number {
    return this.#tally.openOf(operatorId);
  }
}

/** The decision for one token. */
class Case {
  readonly #steps: Step[] = [];

  constructor(
    private readonly search: Search,
    private readonly conditions: Conditions,
  ) {}

  decide(rules: readonly Rule[]): Resolution {
    const { node, operable } = this.search.snapshot;
    if (!operable) return { ...this.facts(null, 'SKIP'), decision: 'SKIPPED', method: 'SKIP' };
    let rejected = false;
    for (const rule of rules) {
      const found = searchRule(this.search, rule);
      this.note(rule.scope, found, rule);
      if (found.kind === 'found') return this.found(rule.scope, found, rule);
      if (found.kind === 'away' && rule.whenAway === 'WAIT') return this.waitsFor(rule, found);
      rejected ||= found.kind === 'rejected';
      // Who was named has said no; what people decided is not put aside by a rule.
      if (found.kind === 'rejected' && rule.mode === 'PIN')
        return this.unassigned(rule.scope, 'PIN', 'NO_MATCH', found);
    }
    if (node.assignmentPolicy === 'PLANNED_ONLY') {
      return this.unassigned(null, 'PLAN', rejected ? 'NO_MATCH' : 'NO_PLAN', null);
    }
    return this.byNode();
  }

  private byNode(): Resolution {
    const { preferredTeamId } = this.search.snapshot.node;
    if (preferredTeamId !== null) {
      const found = searchTeam(this.search, preferredTeamId, 'PLAN');
      this.note('node_default', found);
      if (found.kind === 'found') return this.found('node_default', found);
    }
    const found = searchAuto(this.search);
    this.note('auto', found);
    if (found.kind === 'found') return this.found('auto', found);
    if (found.kind === 'rejected') return this.unassigned('auto', 'AUTO', 'NO_MATCH', found);
    const { queueReason, reasonCode } = whyQueued(found.kind);
    return this.queued('auto', 'AUTO', queueReason, reasonCode, found);
  }

  private found(tier: Tier, found: Shortlist, rule?: Rule): Resolution {
    const { people, tally, token } = this.search;
    const { best, candidates } = found;
    const team = people.team(best.teamId);
    const pull = !found.named && team !== undefined && tally.pulls(team);
    const assignee = assigneeOf(found, pull);
    const method = rule?.mode ?? (tier === 'auto' ? 'AUTO' : 'PLAN');
    const reasonCode = tier === 'auto' ? tieBreak(best, candidates[1]) : codeOf(rule);
    const alternatives = this.alternatives(found);
    const facts = {
      ...this.facts(tier, reasonCode, found),
      reasonText: chosenText(this.search.snapshot.node, found, tier, reasonCode),
      alternatives,
      warnings: found.warnings,
    };
    const withheld = { ...facts.trace, withheld: { tier, reasonCode, assignee } };
    const { limit, shadow } = this.conditions;
    if (limit !== null) {
      return { ...facts, reasonCode: 'LIMIT', trace: withheld, decision: 'QUEUED', method, queueReason: limit };
    }
    if (pull) tally.giveTeam(team);
    else tally.give(best.operatorId, token);
    if (tier === 'auto' && shadow) {
      return { ...facts, reasonCode: 'SHADOW', trace: withheld, decision: 'UNASSIGNED', method: 'MANUAL' };
    }
    if (!pull && !found.named) tally.turn(best.teamId, best.operatorId);
    return { ...facts, decision: 'ASSIGNED', method, assignee, planRef: rule?.id ?? null };
  }

  private waitsFor(rule: Rule, found: NotFound): Resolution {
    const reason = rule.assigneeType === 'team' ? 'TEAM_UNAVAILABLE' : 'OPERATOR_UNAVAILABLE';
    return this.queued(rule.scope, rule.mode, reason, codeOf(rule), found);
  }

  private queued(
    tier: Tier,
    method: 'PIN' | 'PLAN' | 'AUTO',
    queueReason: 'TEAM_UNAVAILABLE' | 'OPERATOR_UNAVAILABLE' | 'NO_MATCH',
    reasonCode: string,
    found: NotFound,
  ): Resolution {
    const { limit } = this.conditions;
    const facts = {
      ...this.facts(tier, limit === null ? reasonCode : 'LIMIT', found),
      reasonText: notFoundText(found),
    };
    return { ...facts, decision: 'QUEUED', method, queueReason: limit ?? queueReason };
  }

  private unassigned(
    tier: Tier | null,
    method: 'PIN' | 'PLAN' | 'AUTO',
    reasonCode: 'NO_MATCH' | 'NO_PLAN',
    found: NotFound | null,
  ): Resolution {
    const { limit } = this.conditions;
    const reasonText = found ? notFoundText(found) : 'only planned work is given out here, and nothing is planned';
    const facts = { ...this.facts(tier, limit === null ? reasonCode : 'LIMIT', found ?? undefined), reasonText };
    if (limit !== null) return { ...facts, decision: 'QUEUED', method, queueReason: limit };
    return { ...facts, decision: 'UNASSIGNED', method };
  }

  private facts(tier: Tier | null, reasonCode: string, found?: Found) {
    const { snapshot, token } = this.search;
    const candidates = found?.kind === 'found' ? found.candidates : [];
    const trace: Trace = {
      at: new Date(snapshot.at).toISOString(),
      enforced: snapshot.enforced,
      steps: this.#steps,
      candidates: candidates.slice(0, mostWritten),
      dropped: (found?.dropped ?? []).slice(0, mostWritten),
      load: spreadOf(candidates.map(({ load }) => load)),
    };
    return { tokenId: token.id, tier, reasonCode, reasonText: null, alternatives: [], warnings: [], trace };
  }

  private alternatives({ best, candidates }: Shortlist): Alternative[] {
    return candidates.slice(1, 1 + mostAlternatives).map((other) => ({
      operatorId: other.operatorId,
      reason: tieBreak(best, other),
      activeCount: this.search.tally.openOf(other.operatorId),
      avgCycleMinutes: other.cycleMinutes,
    }));
  }

  private note(tier: Tier, found: Found, rule?: Rule): void {
    const outcome = found.kind === 'away' && rule ? `${rule.mode.toLowerCase()}_all_unavailable` : outcomes[found.kind];
    const target = rule && { planRef: rule.id, target: { type: rule.assigneeType, id: rule.assigneeId } };
    this.#steps.push({ tier, outcome, ...target });
  }
}

const outcomes: Readonly<Record<Found['kind'], string>> = {
  found: 'chosen',
  no_team: 'no_team',
  inactive: 'team_inactive',
  team_forbidden: 'team_forbidden',
  team_not_allowed: 'team_not_allowed',
  mode_mismatch: 'mode_mismatch',
  away: 'all_unavailable',
  unskilled: 'no_skill',
  full: 'no_capacity',
  rejected: 'rejected',
};

function whyQueued(kind: Exclude<NotFound['kind'], 'rejected'>) {
  switch (kind) {
    case 'away':
    case 'full':
      return { queueReason: 'TEAM_UNAVAILABLE', reasonCode: 'ALL_UNAVAILABLE' } as const;
    case 'unskilled':
      return { queueReason: 'NO_MATCH', reasonCode: 'NO_SKILL' } as const;
    case 'mode_mismatch':
      return { queueReason: 'NO_MATCH', reasonCode: 'MODE_MISMATCH' } as const;
    default:
      return { queueReason: 'NO_MATCH', reasonCode: 'NO_MATCH' } as const;
  }
}

function codeOf(rule: Pick<Rule, 'mode' | 'scope'> | undefined): string {
  return rule ? `${rule.mode}_${rule.scope.toUpperCase()}` : 'NODE_DEFAULT';
}

function assigneeOf({ best, named }: Shortlist, pull: boolean): Assignee {
  const { operatorId, teamId } = best;
  if (named) return { type: 'operator', operatorId, teamId };
  return { type: 'team', teamId, operatorId: pull ? null : operatorId };
}
