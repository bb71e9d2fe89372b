import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';

/** The file by which a PostgreSQL server locks its data directory; a killed server leaves it behind. */
export function serverFile(data: string): string {
  return join(data, 'postmaster.pid');
}

/** Who wrote it; undefined when there is none, or none that can be read. */
export function readServerFile(data: string): { pid: number; port: number } | undefined {
  if (!existsSync(serverFile(data))) return undefined;
  const [pid, , , port] = readFileSync(serverFile(data), 'utf8').split('\n').map(Number);
  return pid !== undefined && port !== undefined && pid > 0 ? { pid, port } : undefined;
}

/** Whether that process is the server of this data directory: a killed server's id may be somebody else's by now. */
export function isServerOf(data: string, pid: number): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform === 'linux') {
    const [home, folder] = [`/proc/${pid}/cwd`, data].map((path) => statSync(path, { throwIfNoEntry: false }));
    return home !== undefined && home.ino === folder?.ino && home.dev === folder.dev;
  }
  if (process.platform === 'win32') return true;
  return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout.includes(data);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EPERM';
  }
}
