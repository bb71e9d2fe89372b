import { Injectable } from '@nestjs/common';
import { decodeCursor, listFrom, type Executor, type List } from '@belay/platform';
import { z } from 'zod';
import type { ImportIssue, IssueFilter } from './import.contract.js';
import { insertIssues, issueList, type IssueRow } from './import.queries.js';
import type { RowIssue } from './row-cells.rules.js';

const listKey = z.tuple([z.int(), z.int()]);
const longest = 1_000;

/** What is wrong with the rows of imports. */
@Injectable()
export class Issues {
  async add(on: Executor, importId: string, issues: readonly (RowIssue & { readonly row: number })[]): Promise<void> {
    if (issues.length === 0) return;
    await insertIssues(on, [
      importId,
      issues.map(({ row }) => row),
      issues.map(({ severity }) => severity),
      issues.map(({ column }) => column),
      issues.map(({ code }) => code),
      issues.map(({ detail }) => detail.replaceAll('\0', '').slice(0, longest)),
    ]);
  }

  async list(on: Executor, importId: string, { severity, cursor, limit }: IssueFilter): Promise<List<ImportIssue>> {
    const after = decodeCursor(cursor, listKey) ?? [null, null];
    const rows = await issueList(on, [importId, severity ?? null, ...after, limit + 1]);
    return listFrom(rows, limit, ({ row, issueNo }) => [row, issueNo], view);
  }
}

function view({ row, line, column, severity, code, detail }: IssueRow): ImportIssue {
  return { row, line, column, severity, code, detail };
}
