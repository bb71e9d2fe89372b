import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, type Caller, type List } from '@belay/platform';
import { z } from 'zod';
import { TokenStore } from '../lifecycle/token.store.js';
import { Commands, type Command, type LockedToken } from '../production.command.js';
import { SiteScope } from '../site-scope.service.js';
import { AssignmentRows } from './assignment-rows.service.js';
import type { FindingFilter, FindingView } from './finding.contract.js';
import { findingById, findingList, type FindingRow } from './finding.queries.js';
import { closeFinding, endStrayVisit, removeOrphanArrivals, tokenOfSubject } from './repair.queries.js';
import { SUPERVISE } from './work-access.service.js';
import { FindingNotFound, FindingNotRepairable } from './work.problems.js';
import { WorkSessions } from './work-sessions.service.js';

const listKey = z.tuple([z.uuid()]);

/** What can be put right without anybody's judgement; everything else is for a person to decide. */
const repairable: ReadonlySet<string> = new Set([
  'session-without-token',
  'token-without-session',
  'assignment-without-token',
  'assignment-without-session',
  'orphan-arrival',
  'visit-gap',
]);

/** Findings, and how they are repaired: as commands like any other, so that everything about them is on record. */
@Injectable()
export class RepairService {
  constructor(
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly database: Database,
    private readonly scope: SiteScope,
    private readonly sessions: WorkSessions,
    private readonly tokens: TokenStore,
  ) {}

  async list({ kind, subjectType, subjectId, open, cursor, limit }: FindingFilter): Promise<List<FindingView>> {
    const [after = null] = decodeCursor(cursor, listKey) ?? [];
    const asked = [kind ?? null, subjectType ?? null, subjectId ?? null, open ?? false, after, limit + 1];
    return listFrom(await findingList(this.database.dataSource, asked), limit, ({ id }) => [id], viewOf);
  }

  /** Whatever is still wrong is put right; what is not any more is left alone. Either way the finding is resolved. */
  async repair(by: Caller, id: string, reason: string): Promise<FindingView> {
    const [finding] = await findingById(this.database.dataSource, [id]);
    if (!finding) throw new FindingNotFound(id);
    if (finding.resolvedAt || !repairable.has(finding.kind)) throw new FindingNotRepairable(finding);
    const asked = [finding.subjectType, finding.subjectId];
    const [subject] = await tokenOfSubject(this.database.dataSource, asked);
    if (!subject) throw new FindingNotRepairable(finding);
    return this.commands.onToken(by, subject.tokenId, { cause: 'repair', hold: 'route' }, async (command, token) => {
      this.scope.admit(by, SUPERVISE, token.siteId, () => new FindingNotFound(id));
      await this.putRight(command, token, finding, reason);
      await closeFinding(command.tx, [id, command.at]);
      const [after] = await findingById(command.tx, [id]);
      if (!after) throw new FindingNotFound(id);
      return viewOf(after);
    });
  }

  private async putRight(command: Command, token: LockedToken, { kind }: FindingRow, reason: string): Promise<void> {
    if (kind === 'orphan-arrival') await removeOrphanArrivals(command.tx, [token.id]);
    else if (kind === 'visit-gap') await this.reopenVisit(command, token);
    else await this.release(command, token, reason);
  }

  /** What people are said to do is over, and the token is free for whoever takes it up again. */
  private async release(command: Command, token: LockedToken, reason: string): Promise<void> {
    await this.assignments.cancelOpen(command, [token], reason);
    await this.sessions.finish(command, [token.id]);
    if (token.status !== 'active' && token.status !== 'paused') return;
    await this.tokens.write(command, {
      changes: [{ id: token.id, from: ['active', 'paused'], to: 'ready' }],
      events: [{ tokenId: token.id, type: 'RELEASED', nodeId: token.nodeId, payload: { reason, repaired: true } }],
    });
  }

  private async reopenVisit(command: Command, { id: tokenId, nodeId, status }: LockedToken): Promise<void> {
    await endStrayVisit(command.tx, [tokenId, command.at]);
    if (nodeId === null) return;
    await this.tokens.openVisits(command, [{ tokenId, nodeId, admitted: status !== 'waiting' }]);
  }
}

function viewOf(row: FindingRow): FindingView {
  return {
    ...row,
    firstSeenAt: row.firstSeenAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    resolvedAt: row.resolvedAt?.toISOString() ?? null,
    repairable: row.resolvedAt === null && repairable.has(row.kind),
  };
}
