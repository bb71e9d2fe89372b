import { statfs } from 'node:fs/promises';
import { NoRoomForBackup } from '../rollback.problems.js';

/** What must be left when a backup was written: a full disk stops more than backups. */
const RESERVE = 16 * 1024 * 1024;
const EVERY = 4 * 1024 * 1024;

/** The room on the volume of a folder, before and while something is written there. */
export class BackupRoom {
  readonly #full = new AbortController();
  #unseen = 0;

  private constructor(private readonly folder: string) {}

  /** Throws `no-room-for-backup` unless there is twice what is expected. */
  static async check(folder: string, estimate: number): Promise<BackupRoom> {
    const free = await freeBytes(folder);
    const needed = 2 * estimate + RESERVE;
    if (free < needed) throw new NoRoomForBackup(folder, free, needed);
    return new BackupRoom(folder);
  }

  /** Aborted, with `no-room-for-backup` as the reason, once the reserve is touched. */
  get signal(): AbortSignal {
    return this.#full.signal;
  }

  written(bytes: number): void {
    this.#unseen += bytes;
    if (this.#unseen < EVERY) return;
    this.#unseen = 0;
    void this.look();
  }

  private async look(): Promise<void> {
    const free = await freeBytes(this.folder);
    if (free < RESERVE) this.#full.abort(new NoRoomForBackup(this.folder, free, RESERVE));
  }
}

/** As the problem that it is, when the disk was full before anybody looked. */
export function toldOfRoom(error: unknown, folder: string): unknown {
  if (error instanceof Error && error.cause instanceof NoRoomForBackup) return error.cause;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT' ? new NoRoomForBackup(folder, 0, RESERVE) : error;
}

export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
