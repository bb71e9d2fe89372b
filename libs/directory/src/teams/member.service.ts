import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, type Caller, type List } from '@belay/platform';
import { z } from 'zod';
import { AccountLeft, AccountNotFound } from '../accounts/account.problems.js';
import { reaches } from '../accounts/account.rules.js';
import { placesOf } from '../people/person.queries.js';
import type { ShownPerson } from '../people/person.rules.js';
import { PersonService } from '../people/person.service.js';
import type { MemberFilter, MemberView, PlaceMember } from './team.contract.js';
import { MemberNotFound } from './team.problems.js';
import { memberList, placeInTeam, removeFromTeam, type MemberRow } from './team.queries.js';
import { TeamService } from './team.service.js';

const listKey = z.tuple([z.number().int().min(0).max(100), z.uuid()]);

@Injectable()
export class MemberService {
  constructor(
    private readonly database: Database,
    private readonly teams: TeamService,
    private readonly people: PersonService,
  ) {}

  async list(by: Caller, teamId: string, { cursor, limit }: MemberFilter): Promise<List<MemberView>> {
    await this.teams.seen(by, teamId);
    const after = decodeCursor(cursor, listKey) ?? [null, null];
    const rows = await memberList(this.database.dataSource, [teamId, ...after, limit + 1]);
    const people = await this.people.see(
      by,
      rows.slice(0, limit).map((row) => row.accountId),
    );
    return listFrom(
      rows,
      limit,
      (row) => [row.sortPriority, row.id],
      (row) => view(row, people.get(row.accountId)),
    );
  }

  /**
   * Puts a person into the team, or changes their part in it. The caller must know of the person already: being in the
   * same team shows people their names, so nobody is put into a team to find out who they are.
   */
  async place(by: Caller, teamId: string, accountId: string, part: PlaceMember): Promise<MemberView> {
    return this.database.transaction(by, async (tx) => {
      const team = await this.teams.locked(tx, by, teamId);
      const [places] = await placesOf(tx, [accountId]);
      if (!places || !reaches(by, 'directory.account:read', places)) throw new AccountNotFound(accountId);
      if (places.status === 'left') throw new AccountLeft(accountId);

      const { role, capacityPerDay, sortPriority, active } = part;
      const values = [randomUUIDv7(), teamId, accountId, role, capacityPerDay, sortPriority, active];
      const [row] = await placeInTeam(tx, values);
      if (!row) throw new Error('The member was not stored');
      await this.teams.announce(tx, team, [accountId]);
      const people = await this.people.see(by, [accountId], tx);
      return view(row, people.get(accountId));
    });
  }

  /** Taking out who is not in the team is refused: the caller believes something that is not so. */
  async remove(by: Caller, teamId: string, accountId: string): Promise<void> {
    await this.database.transaction(by, async (tx) => {
      const team = await this.teams.locked(tx, by, teamId);
      const removed = await removeFromTeam(tx, [teamId, accountId]);
      if (removed.length === 0) throw new MemberNotFound(teamId, accountId);
      await this.teams.announce(tx, team, [accountId]);
    });
  }
}

function view(row: MemberRow, person: ShownPerson | undefined): MemberView {
  if (!person) throw new Error(`The member ${row.accountId} was read, but not masked`);
  const { teamId, role, capacityPerDay, sortPriority, active, joinedAt } = row;
  return { teamId, role, capacityPerDay, sortPriority, active, joinedAt: joinedAt.toISOString(), person };
}
