import { Injectable } from '@nestjs/common';
import type { Caller } from '@belay/platform';
import { ProductionReader, type Pace } from '@belay/production';
import { READ_PLANS } from '../plans/plan-places.service.js';
import { PeopleScope } from '../people-scope.service.js';
import type { Rule } from './precedence.rules.js';
import type { WhatIf, WhatIfView } from './preview.contract.js';
import { NodeNotFound } from './preview.problems.js';
import { PreviewService } from './preview.service.js';
import { onLeave, outlookOf, takenBack, type Outlook } from './prospect.rules.js';
import type { Resolution } from './resolver.rules.js';
import type { Snapshot } from './snapshot.rules.js';
import { Snapshots } from './snapshots.service.js';

/** Tokens that are looked at, and of these those that are told one by one. */
const MOST_TOKENS = 1_000;
const MOST_TOLD = 200;

/** What a plan, a leave or a limit would change at a node, before anybody saves it. */
@Injectable()
export class WhatIfService {
  constructor(
    private readonly previews: PreviewService,
    private readonly production: ProductionReader,
    private readonly scope: PeopleScope,
    private readonly snapshots: Snapshots,
  ) {}

  /** All that is not begun and not given by hand is decided anew twice: as things are, and as they would be. */
  ask(by: Caller, asked: WhatIf): Promise<WhatIfView> {
    const { graphId, nodeCode } = asked;
    return this.previews.looking(async (tx, at) => {
      const version = await this.production.newestVersion(tx, graphId);
      const known = version?.nodeOfCode(nodeCode);
      if (!version || !known) throw new NodeNotFound({ graphId, nodeCode });
      const node = { ...known, graphId, versionId: version.id };
      const sites = this.scope.sites(by, READ_PLANS);
      const standing = await this.production.undecided(tx, { graphId, nodeCode, sites, most: MOST_TOKENS });
      const tokens = standing.map((token) => ({ ...token, excluded: token.rejectedBy }));
      const enforced = this.previews.enforced(node);
      const loaded = await this.snapshots.load(tx, { node, tokens, at, enforced, ...namedIn(asked) });
      const now = takenBack(
        loaded,
        standing.flatMap(({ operatorId }) => operatorId ?? []),
      );
      const pace = await this.production.pace(tx, node, at);
      const { concurrencyLimit = pace.concurrency } = asked;
      const before = outlookOf(now, tokens, placesOf(pace));
      const after = outlookOf(changed(now, asked), tokens, placesOf({ ...pace, concurrency: concurrencyLimit }));
      return {
        graphId,
        nodeCode,
        at: at.toISOString(),
        tokens: tokens.length,
        before: this.prospect(before, pace, pace.concurrency),
        after: this.prospect(after, pace, concurrencyLimit),
        changed: differences(before, after).slice(0, MOST_TOLD),
      };
    });
  }

  private prospect(outlook: Outlook, pace: Pace, concurrency: number | null): WhatIfView['before'] {
    const { resolutions, waiting, headcount, sigma } = outlook;
    const count = (decision: Resolution['decision']) => resolutions.filter((one) => one.decision === decision).length;
    const waits = waiting === 0 ? undefined : this.production.waits(pace, concurrency ?? headcount, waiting);
    return {
      assigned: count('ASSIGNED'),
      queued: count('QUEUED'),
      unassigned: count('UNASSIGNED'),
      sigma,
      headcount,
      medianWaitMinutes: waits?.[Math.floor((waits.length - 1) / 2)] ?? null,
      longestWaitMinutes: waits?.at(-1) ?? null,
    };
  }
}

/** People and teams that the snapshot would not hold if nobody named them. */
function namedIn({ plan }: WhatIf): {
  readonly named?: readonly { readonly type: 'operator' | 'team'; readonly id: string }[];
} {
  return plan ? { named: [plan.assignee] } : {};
}

function placesOf({ concurrency, started }: Pace): number {
  return concurrency === null ? Infinity : Math.max(0, concurrency - started);
}

function changed(snapshot: Snapshot, { plan, withoutPlan, leave, nodeCode }: WhatIf): Snapshot {
  const kept = snapshot.rules.filter(({ id }) => id !== withoutPlan);
  const rules = plan ? [...kept, ruleOf(plan, nodeCode)] : kept;
  const now = { ...snapshot, rules };
  return leave ? onLeave(now, leave.operatorId, leave.until === undefined ? null : Date.parse(leave.until)) : now;
}

/** Its id is after all others, so that it comes last among its like, as the newest plan does. */
function ruleOf(
  { mode, assignee, jobTicketId, priority, unavailablePolicy }: NonNullable<WhatIf['plan']>,
  nodeCode: string,
): Rule {
  return {
    id: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
    mode,
    scope: jobTicketId === undefined ? 'node' : 'job_node',
    tokenId: null,
    jobTicketId: jobTicketId ?? null,
    nodeCode,
    assigneeType: assignee.type,
    assigneeId: assignee.id,
    priority,
    whenAway: unavailablePolicy ?? (mode === 'PIN' ? 'WAIT' : 'NEXT'),
  };
}

function differences(before: Outlook, after: Outlook): WhatIfView['changed'] {
  return before.resolutions.flatMap((one, index) => {
    const other = after.resolutions[index];
    if (!other) return [];
    const [was, becomes] = [fateOf(one), fateOf(other)];
    const same =
      was.decision === becomes.decision &&
      was.operatorId === becomes.operatorId &&
      was.queueReason === becomes.queueReason;
    return same ? [] : [{ tokenId: one.tokenId, before: was, after: becomes }];
  });
}

function fateOf(resolution: Resolution): WhatIfView['changed'][number]['before'] {
  return {
    decision: resolution.decision,
    operatorId: resolution.decision === 'ASSIGNED' ? resolution.assignee.operatorId : null,
    queueReason: resolution.decision === 'QUEUED' ? resolution.queueReason : null,
  };
}
