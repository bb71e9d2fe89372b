import { Injectable } from '@nestjs/common';
import { InvalidRequest, type Caller } from '@belay/platform';
import { LineLookup, namedLine, refuseBlocked, type AskedLine, type FoundLine } from './lookup.service.js';
import type { PostedMovementView, Transfer } from './movement.contract.js';
import {
  likelyRepeated,
  pointerTo,
  quantityIssues,
  sameBucket,
  unitsAsked,
  unitsIssues,
  type Issue,
  type Limits,
  type NamedLine,
} from './movement.rules.js';
import { Submission, type Planned } from './submission.service.js';

const TRANSFER = 'wms.inventory:transfer';

type TransferLine = Transfer['lines'][number];

/** Goods are put elsewhere in their warehouse, or into another status. */
@Injectable()
export class TransferService {
  constructor(
    private readonly lookup: LineLookup,
    private readonly submission: Submission,
  ) {}

  /** Each line becomes two: what leaves one bucket, and what comes into the other. */
  transfer(by: Caller, transfer: Transfer): Promise<PostedMovementView> {
    return this.submission.submit(by, false, async (on): Promise<Planned> => {
      const { reasonCode, reference, note, effectiveAt: at, lines: given } = transfer;
      const effectiveAt = at === undefined ? undefined : new Date(at);
      const question = { kind: 'TRANSFER', effectiveAt, reference } as const;
      const issues = given.flatMap((line, of) => quantityIssues(this.lookup.limits, pointerTo(of), line));
      const where = { warehouse: transfer.warehouse, permission: TRANSFER };
      const document = await this.lookup.find(on, by, where, {
        asked: given.flatMap(sidesOf),
        question,
        issues,
        check: (line) => lineIssues(line, given[line.asked.of], this.lookup.limits),
      });
      const staysSound = document.lines.filter(
        ({ index, asked }) => index % 2 === 1 && asked.stockStatus !== 'quarantine',
      );
      refuseBlocked(staysSound, document.effectiveOn);
      const lines = document.lines.map((line) => {
        const quantity = given[line.asked.of] ?? { cartons: 0, looseUnits: 0 };
        const units = unitsAsked(quantity, line.lot.unitsPerCarton);
        return namedLine(line, line.index % 2 === 0 ? -units : units);
      });
      refuseStanding(lines);
      return {
        draft: {
          warehouse: document.warehouse,
          kind: 'TRANSFER',
          reasonCode,
          reference,
          note,
          effectiveAt,
          lines,
          ...(document.timing && { timing: document.timing }),
        },
        warnings: likelyRepeated(document.likely),
      };
    });
  }
}

function sidesOf(
  { sku, lot, fromLocation, toLocation, fromStatus, toStatus = fromStatus }: TransferLine,
  of: number,
): AskedLine[] {
  return [
    { sku, lot, location: fromLocation, stockStatus: fromStatus, locationField: 'fromLocation', of },
    { sku, lot, location: toLocation, stockStatus: toStatus, locationField: 'toLocation', of },
  ];
}

function lineIssues(line: FoundLine, given: TransferLine | undefined, limits: Limits): Issue[] {
  return given ? unitsIssues(limits, pointerTo(line.asked.of), given, line.lot.unitsPerCarton) : [];
}

/** Both sides of a line stand beside each other. */
function refuseStanding(lines: readonly NamedLine[]): void {
  const standing = lines.filter((line, index) => {
    const other = lines[index + 1];
    return index % 2 === 0 && other !== undefined && sameBucket(line, other);
  });
  if (standing.length === 0) return;
  const detail = 'must go to another location or into another status';
  throw new InvalidRequest(standing.map(({ pointer = '#/lines' }) => ({ pointer, detail })));
}
