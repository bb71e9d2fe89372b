/** How long a newcomer waits: from a fresh clone to `/health/ready`, and from the second `npm start` on. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../../apps/cli/src/local/port.js';

const clone = await mkdtemp(join(tmpdir(), 'belay-clone-'));
execFileSync('git', ['clone', '--quiet', process.cwd(), clone]);
const goals = { cold: 120, warm: 6 };
for (const [name, goal] of Object.entries(goals)) {
  const { ready, stopped } = await startOnce();
  console.log(
    `${name} start: ready after ${ready.toFixed(1)} s (goal ≤ ${goal} s), stopped in ${stopped.toFixed(1)} s (goal ≤ 10 s)`,
  );
}
await rm(clone, { recursive: true, force: true });

/** `npm start` until it can serve, then Ctrl-C; in seconds. */
async function startOnce(): Promise<{ ready: number; stopped: number }> {
  const port = await findFreePort();
  const began = performance.now();
  const start = spawn('npm', ['start'], {
    cwd: clone,
    // Its own Node, not the one that npm put first on our path.
    env: { HOME: tmpdir(), PATH: '/usr/local/bin:/usr/bin:/bin', PORT: String(port) },
    stdio: 'ignore',
    detached: true,
  });
  const ended = new Promise<void>((resolve) => {
    start.once('exit', () => {
      resolve();
    });
  });
  while (!(await isReady(port))) {
    if (start.exitCode !== null) throw new Error('npm start ended by itself: run it by hand to see why');
    await sleep(50);
  }
  const ready = (performance.now() - began) / 1_000;
  // As a terminal does it: to the whole group at once.
  if (start.pid !== undefined) process.kill(-start.pid, 'SIGINT');
  const asked = performance.now();
  await ended;
  return { ready, stopped: (performance.now() - asked) / 1_000 };
}

function isReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}
