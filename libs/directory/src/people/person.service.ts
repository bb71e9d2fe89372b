import { Injectable } from '@nestjs/common';
import { Database, type Caller, type Executor } from '@belay/platform';
import { everything, maskedFields, shown, type ShownPerson } from './person.rules.js';
import { recordUnmaskedReads, seenPeople, viewerValues, type SeenRow } from './person.queries.js';

/** People on the way out. Whatever shows a person to somebody gets the person from here, masked for that viewer. */
@Injectable()
export class PersonService {
  constructor(private readonly database: Database) {}

  /** Ids without an account are absent from the map. */
  async see(
    by: Caller,
    ids: readonly string[],
    on: Executor = this.database.dataSource,
  ): Promise<Map<string, ShownPerson>> {
    const rows = await seenPeople(on, [...viewerValues(by), ids]);
    const people = await this.show(on, by, rows);
    return new Map(people.map((person) => [person.id, person]));
  }

  /**
   * Masks rows that were read with `seenColumns`, in their order. Who holds `people:pii` sees them unmasked, and that
   * is in the audit log before the answer is: if it cannot be written, there is no answer.
   */
  async show(on: Executor, by: Caller, rows: readonly SeenRow[]): Promise<ShownPerson[]> {
    const unmasked = rows.filter((row) => row.unmasks && maskedFields(row.levels).length > 0);
    if (unmasked.length > 0) {
      await recordUnmaskedReads(on, [
        unmasked.map((row) => row.id),
        unmasked.map((row) => JSON.stringify(maskedFields(row.levels))),
        by.accountId,
        by.requestId,
        by.reason ?? null,
      ]);
    }
    return rows.map((row) => shown(row.unmasks ? { ...row, levels: everything } : row));
  }
}
