import type { ConditionContext } from '../graphs/condition.rules.js';
import type { PublishedNode } from '../graphs/published-version.rules.js';
import type { LockedJob, LockedToken } from '../production.command.js';
import { Traveller } from './traveller.rules.js';
import type { NewGroup, NewToken, TokenStep } from './token.store.js';

/** Everything that one command does to tokens, until it is written. */
export class Journey {
  readonly #travellers = new Map<string, Traveller>();
  readonly #groups = new Map<string, NewGroup>();
  readonly #vacated = new Set<string>();
  #no = 0;

  constructor(readonly job: LockedJob & { readonly instanceId: string }) {}

  nextNo(): number {
    this.#no += 1;
    return this.#no;
  }

  get travellers(): readonly Traveller[] {
    return [...this.#travellers.values()];
  }

  /** Nodes at which somebody has done with something. */
  get vacated(): ReadonlySet<string> {
    return this.#vacated;
  }

  vacate(nodeId: string): void {
    this.#vacated.add(nodeId);
  }

  get(id: string): Traveller | undefined {
    return this.#travellers.get(id);
  }

  /** A token that there is; the same again when it has joined already. */
  join(token: LockedToken): Traveller {
    const known = this.#travellers.get(token.id);
    if (known) return known;
    const { status, nodeId } = token;
    if (nodeId === null) throw new Error(`Token ${token.id} is nowhere`);
    const traveller = new Traveller(this, token, { status, nodeId });
    this.#travellers.set(token.id, traveller);
    return traveller;
  }

  /** A token that is made in this command, ready at its node; a part of `root` when that is split up. */
  make(made: NewToken, firstSpawnedAt: Date, root?: Traveller): Traveller {
    const { status, nodeId } = made;
    const facts = {
      ...made,
      serialRev: made.serialRev ?? 0,
      parentId: made.parentId ?? null,
      groupId: made.groupId ?? null,
      branchKey: made.branchKey ?? null,
      branchNo: made.branchNo ?? null,
      holdCode: null,
      queueReason: null,
      reworkCount: made.reworkCount ?? 0,
      reworkLimit: made.reworkLimit ?? null,
      priority: made.priority ?? 0,
      metadata: made.metadata ?? {},
      qcResult: null,
      firstSpawnedAt,
    };
    const traveller = new Traveller(this, facts, { status, nodeId }, { made, root });
    this.#travellers.set(made.id, traveller);
    return traveller;
  }

  open(group: NewGroup): void {
    this.#groups.set(group.id, group);
  }

  /** Takes back whoever has found no room, and all that it was split into; undefined when there is nowhere to go back to. */
  takeBack({ root }: Traveller): Traveller | undefined {
    if (!root.takeBack()) return undefined;
    const parts = this.travellers.filter((one) => one !== root && one.root === root);
    for (const { id } of parts) this.#travellers.delete(id);
    const gone = new Set([root.id, ...parts.map(({ id }) => id)]);
    for (const [id, { parentId }] of this.#groups) if (gone.has(parentId)) this.#groups.delete(id);
    return root;
  }

  /** What is to be written; from then on it is written, and nothing of it can be taken back. */
  write(): TokenStep {
    const written = this.travellers.map((traveller) => traveller.write());
    const groups = [...this.#groups.values()];
    this.#groups.clear();
    return {
      made: written.flatMap(({ made }) => made),
      groups,
      changes: written.flatMap(({ changes }) => changes),
      marks: written.flatMap(({ marks }) => marks),
      entries: written.flatMap(({ entries }) => entries),
      events: written.flatMap(({ told }) => told).toSorted((one, other) => one.no - other.no),
    };
  }
}

/** What conditions are asked about when a token leaves the node. */
export function contextOf(traveller: Traveller, { job }: Journey, node: PublishedNode): ConditionContext {
  const { facts, metadata, qcResult } = traveller;
  const forms = metadata['forms'];
  return {
    token: {
      qty: traveller.qty,
      priority: facts.priority,
      serial: facts.serial,
      status: traveller.status,
      reworkCount: traveller.reworkCount,
      metadata,
      qcResult: qcResult && {
        status: textOf(qcResult['status']) ?? '',
        defectType: textOf(qcResult['defectType']),
        severity: textOf(qcResult['severity']),
      },
    },
    job: {
      priority: job.jobPriority,
      targetQty: job.targetQty,
      processMode: job.processMode,
      line: job.line,
      attributes: job.attributes,
    },
    node: { type: node.type, code: node.code, teamCategory: node.teamCategory, workCenterCode: node.workCenterCode },
    form:
      typeof forms === 'object' && forms !== null
        ? Object.entries(forms).find(([code]) => code === node.code)?.[1]
        : undefined,
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
