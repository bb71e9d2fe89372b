import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, type Caller, type List } from '@belay/platform';
import { z } from 'zod';
import { PeopleScope } from '../people-scope.service.js';
import { csvLine, csvHead } from './log-csv.rules.js';
import type { LogEntry, LogExport, LogFilter } from './log.contract.js';
import { logList, type LogRow } from './log.queries.js';

export const READ_LOG = 'assignment.log:read';
export const EXPORT_LOG = 'assignment.log:export';
const listKey = z.tuple([z.string(), z.string().regex(/^\d{1,19}$/)]);

/** Lines of a file that are read at once. */
const AT_ONCE = 1_000;

@Injectable()
export class LogService {
  constructor(
    private readonly database: Database,
    private readonly scope: PeopleScope,
  ) {}

  async list(by: Caller, { cursor, limit, ...which }: LogFilter): Promise<List<LogEntry>> {
    const after = decodeCursor(cursor, listKey);
    return listFrom(await this.read(by, READ_LOG, which, after, limit + 1), limit, ({ at, id }) => [at, id], view);
  }

  /** All that was written until now, newest first; read while it is sent. */
  export(by: Caller, which: LogExport): Readable {
    return Readable.from(this.lines(by, which));
  }

  private async *lines(by: Caller, which: LogExport): AsyncGenerator<string> {
    yield csvHead;
    let after: readonly [string, string] | undefined;
    for (;;) {
      const rows = await this.read(by, EXPORT_LOG, which, after, AT_ONCE);
      if (rows.length > 0) yield rows.map((row) => csvLine(view(row))).join('');
      const last = rows.at(-1);
      if (last === undefined || rows.length < AT_ONCE) return;
      after = [last.at, last.id];
    }
  }

  private read(
    by: Caller,
    permission: string,
    { method, event, from, until, tokenId, jobTicketId, nodeId, teamId, operatorId }: LogExport,
    after: readonly [string, string] | undefined,
    rows: number,
  ): Promise<LogRow[]> {
    const asked = [
      method,
      event,
      from,
      until,
      tokenId,
      jobTicketId,
      nodeId,
      teamId,
      operatorId,
      ...(after ?? [null, null]),
    ];
    return logList(this.database.dataSource, [
      this.scope.sites(by, permission),
      ...asked.map((value) => value ?? null),
      rows,
    ]);
  }
}

function view({ at, assigneeType, assigneeId, latencyMs, ...row }: LogRow): LogEntry {
  return {
    ...row,
    at: new Date(at).toISOString(),
    assignedTo: assigneeType !== null && assigneeId !== null ? { type: assigneeType, id: assigneeId } : null,
    latencyMs: latencyMs === null ? null : Number(latencyMs),
  };
}
