import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { LastAdmin } from './account.problems.js';
import { isAdmin, lockAdmins, otherAdmins } from './account.queries.js';

/** Keeps Belay administrable. */
@Injectable()
export class AdminService {
  /**
   * To be asked before an account stops being an active administrator, in the transaction that makes it so: refused
   * with `last-admin` when nobody else administers every site. Two who leave at once ask one after the other.
   */
  async letGo(tx: EntityManager, accountId: string): Promise<void> {
    const [account] = await isAdmin(tx, [accountId]);
    if (account?.admin !== true) return;
    await lockAdmins(tx, []);
    const [others] = await otherAdmins(tx, [accountId]);
    if (Number(others?.others ?? 0) === 0) throw new LastAdmin(accountId);
  }
}
