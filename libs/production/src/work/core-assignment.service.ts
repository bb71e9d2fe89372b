import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import {
  AssignmentPolicy,
  type Decision,
  type NodeToAssign,
  type PolicyFlags,
  type Question,
  type Verdict,
} from './assignment-policy.contract.js';
import { headcountOf } from './claim.queries.js';

/** What the floor falls back to: people take what is there, and whoever may claim it may work on it. */
@Injectable()
export class CoreAssignment extends AssignmentPolicy {
  override flags(): PolicyFlags {
    return {};
  }

  override decide(_tx: EntityManager, { tokens }: Question): Promise<readonly Decision[]> {
    return Promise.resolve(tokens.map(({ id }) => unassigned(id)));
  }

  override mayWork(): Promise<Verdict> {
    return Promise.resolve({ allowed: true, warnings: [] });
  }

  /** Active members of the teams that may claim the node's work. */
  override async headcount(tx: EntityManager, node: NodeToAssign, siteId: string): Promise<number> {
    const [row] = await headcountOf(tx, [node.id, siteId]);
    return row?.people ?? 0;
  }

  override nextStart(): Promise<ReadonlyMap<string, Date>> {
    return Promise.resolve(new Map());
  }

  override record(): Promise<void> {
    return Promise.resolve();
  }
}

/** The answer that leaves a token to whoever may claim it. */
export function unassigned(tokenId: string): Decision {
  return {
    tokenId,
    decision: 'UNASSIGNED',
    method: 'MANUAL',
    tier: null,
    reasonCode: null,
    reasonText: null,
    alternatives: [],
    warnings: [],
    trace: null,
  };
}
