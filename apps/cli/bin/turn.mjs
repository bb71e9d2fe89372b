import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const lookEveryMs = 200;
const touchEveryMs = 2_000;
const staleMs = 10_000;

/** Does the work while no other process does work under the same lock file. What a killed process leaves is removed. */
export async function withTurn(file, say, work) {
  mkdirSync(dirname(file), { recursive: true });
  for (let waited = false; !take(file); waited = true) {
    if (!waited) say('waiting for another command that prepares this folder');
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  const touch = setInterval(() => utimesSync(file, new Date(), new Date()), touchEveryMs);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    rmSync(file, { force: true });
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (isStale(file)) rmSync(file, { force: true });
    return false;
  }
}

/** Whoever holds the file touches it; a process id alone may be somebody else's by now. */
function isStale(file) {
  try {
    if (Date.now() - statSync(file).mtimeMs > staleMs) return true;
    const pid = Number(readFileSync(file, 'utf8'));
    return pid > 0 && !isAlive(pid);
  } catch {
    return false;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
