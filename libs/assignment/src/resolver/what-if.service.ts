import { Injectable } from '@nestjs/common';
import type { Caller } from '@belay/platform';
import { ProductionReader, type NodeToAssign, type UndecidedToken } from '@belay/production';
import type { EntityManager } from 'typeorm';
import { READ_PLANS } from '../plans/plan-places.service.js';
import { PeopleScope } from '../people-scope.service.js';
import { Eligibility } from './eligibility.service.js';
import type { WhatIf, WhatIfView } from './preview.contract.js';
import { NodeNotFound } from './preview.problems.js';
import { PreviewService } from './preview.service.js';
import { outlooksOf, takenBack, type Comer, type Outlook } from './prospect.rules.js';
import type { Snapshot } from './snapshot.rules.js';
import { Snapshots } from './snapshots.service.js';
import { comersWith, differences, prospectOf, snapshotWith } from './what-if.rules.js';

/** Tokens that are looked at in all. */
const MOST_TOKENS = 1_000;

/** A token that is decided anew, with its node as the newest version has it. */
interface Undecided extends Comer {
  readonly token: UndecidedToken & { readonly excluded: readonly string[] };
  readonly node: NodeToAssign;
}

/** The work of a graph as it would go, by the codes of its nodes. */
interface World {
  readonly outlooks: ReadonlyMap<string, Outlook<Undecided>>;
  /** Minutes, by token. */
  readonly waits: ReadonlyMap<string, number | null>;
}

/** What a plan, a leave or a limit would change at the nodes of a graph, before anybody saves it. */
@Injectable()
export class WhatIfService {
  constructor(
    private readonly eligibility: Eligibility,
    private readonly previews: PreviewService,
    private readonly production: ProductionReader,
    private readonly scope: PeopleScope,
    private readonly snapshots: Snapshots,
  ) {}

  /**
   * All that is not begun and not given by hand is decided anew twice: as things are, and as they would be. Whoever is let
   * in counts as begun. What waits at a work centre for other graphs is not looked at.
   */
  ask(by: Caller, asked: WhatIf): Promise<WhatIfView> {
    const { graphId, nodeCode } = asked;
    return this.previews.looking(async (tx, at) => {
      const version = await this.production.newestVersion(tx, graphId);
      if (!version || (nodeCode !== undefined && !version.nodeOfCode(nodeCode)))
        throw new NodeNotFound({ graphId, nodeCode: nodeCode ?? null });
      const sites = this.scope.sites(by, READ_PLANS);
      const tokens = await this.production.undecided(tx, { graphId, sites, most: MOST_TOKENS });
      const nodes = version.nodes
        .filter(({ id, code }) => version.isOperable(id) && tokens.some((token) => token.nodeCode === code))
        .map((node) => ({ ...node, graphId, versionId: version.id }));
      const comers = await this.comers(tx, nodes, tokens);
      const snapshots = await this.load(tx, { nodes, comers, asked, at });
      const changed = new Map([...snapshots].map(([code, snapshot]) => [code, snapshotWith(snapshot, asked)]));
      const before = await this.world(tx, snapshots, comers, at);
      const after = await this.world(tx, changed, comersWith(comers, asked), at);
      return {
        graphId,
        at: at.toISOString(),
        nodes: nodes.flatMap(({ code, name }) => {
          const [was, becomes] = [before.outlooks.get(code), after.outlooks.get(code)];
          if (!was || !becomes) return [];
          return {
            nodeCode: code,
            name,
            tokens: was.fates.length,
            before: prospectOf(was, before.waits),
            after: prospectOf(becomes, after.waits),
            changed: differences(was, becomes),
          };
        }),
      };
    });
  }

  private async comers(
    tx: EntityManager,
    nodes: readonly NodeToAssign[],
    tokens: readonly UndecidedToken[],
  ): Promise<Undecided[]> {
    const byCode = new Map(nodes.map((node) => [node.code, node]));
    const known = tokens.flatMap((token) => {
      const { nodeCode, rejectedBy } = token;
      const node = byCode.get(nodeCode);
      return node ? [{ token: { ...token, excluded: rejectedBy }, nodeCode, node }] : [];
    });
    const rooms = await this.production.rooms(tx, known);
    return known.flatMap((one, index) => {
      const room = rooms[index];
      return room ? [{ ...one, room }] : [];
    });
  }

  /** As if none of the tokens was anybody's yet. */
  private async load(
    tx: EntityManager,
    {
      nodes,
      comers,
      asked: { nodeCode, plan },
      at,
    }: {
      readonly nodes: readonly NodeToAssign[];
      readonly comers: readonly Undecided[];
      readonly asked: WhatIf;
      readonly at: Date;
    },
  ): Promise<Map<string, Snapshot>> {
    const had = comers.flatMap(({ token }) => token.operatorId ?? []);
    const loaded = new Map<string, Snapshot>();
    for (const node of nodes) {
      const tokens = comers.filter((comer) => comer.node === node).map(({ token }) => token);
      // Nobody else would look at people and teams that only the plan names.
      const named = plan && node.code === nodeCode ? [plan.assignee] : [];
      const enforced = this.previews.enforced(node);
      const snapshot = await this.snapshots.load(tx, { node, tokens, at, enforced, named });
      loaded.set(node.code, takenBack(snapshot, had));
    }
    return loaded;
  }

  private async world(
    tx: EntityManager,
    snapshots: ReadonlyMap<string, Snapshot>,
    comers: readonly Undecided[],
    at: Date,
  ): Promise<World> {
    const outlooks = outlooksOf(snapshots, comers, (room, before) => this.production.limitAfter(room, before));
    const fates = [...outlooks.values()].flatMap((outlook) => outlook.fates);
    const waiting = fates.flatMap(({ token, node, room, resolution, position }) => {
      if (resolution.decision !== 'QUEUED' || position === null) return [];
      const { concurrency } = room.limits;
      return [{ token, node, position, concurrency, queueReason: resolution.queueReason }];
    });
    const people = this.eligibility.within((node) => snapshots.get(node.code));
    return { outlooks, waits: await this.production.waits(tx, waiting, at, people) };
  }
}
