import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A lock between processes that the operating system frees however its holder ends, `kill -9` included: an open
 * transaction on an otherwise empty SQLite file. Nothing on disk can therefore be stale.
 */
export class FileLock {
  private constructor(private readonly database: DatabaseSync) {}

  /** Held by at most one; undefined while anybody holds the lock in either way. */
  static exclusive(path: string): FileLock | undefined {
    return FileLock.open(path, 'BEGIN EXCLUSIVE');
  }

  /** Held by any number at once; undefined while somebody holds it exclusively. */
  static shared(path: string): FileLock | undefined {
    return FileLock.open(path, 'BEGIN; SELECT count(*) FROM sqlite_schema');
  }

  /** Tries until `take` succeeds. */
  static async wait(take: () => FileLock | undefined, milliseconds: number, whatFor: string): Promise<FileLock> {
    const deadline = Date.now() + milliseconds;
    for (;;) {
      const lock = take();
      if (lock) return lock;
      if (Date.now() > deadline) throw new Error(`Another process has been ${whatFor} for ${milliseconds / 1000} s.`);
      await sleep(25);
    }
  }

  release(): void {
    if (this.database.isOpen) this.database.close();
  }

  private static open(path: string, begin: string): FileLock | undefined {
    const database = new DatabaseSync(path, { timeout: 0 });
    try {
      database.exec(begin);
      return new FileLock(database);
    } catch (error) {
      database.close();
      if (isBusy(error)) return undefined;
      throw error;
    }
  }
}

function isBusy(error: unknown): boolean {
  const sqliteBusy = 5;
  return typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === sqliteBusy;
}
