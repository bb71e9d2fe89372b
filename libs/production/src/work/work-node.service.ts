import { Injectable } from '@nestjs/common';
import type { Executor } from '@belay/platform';
import { Versions } from '../graphs/version.reader.js';
import type { LockedToken } from '../production.command.js';
import type { NodeToAssign, TokenToAssign } from './assignment-policy.contract.js';

/** Where a token stands, and what a policy is told of it. */
@Injectable()
export class WorkNodes {
  constructor(private readonly versions: Versions) {}

  /** The node of a version. */
  async node(on: Executor, versionId: string, nodeId: string): Promise<NodeToAssign> {
    const version = await this.versions.get(on, versionId);
    return { ...version.node(nodeId), graphId: version.graphId, versionId };
  }
}

export function tokenToAssign(token: LockedToken): TokenToAssign {
  const { id, instanceId, ticketId, siteId, qty, priority } = token;
  return { id, instanceId, jobTicketId: ticketId, siteId, qty, priority };
}
