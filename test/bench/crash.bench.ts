/** Ten thousand crashes, or as many as said: `npm run bench:crash -- 500`. Random actions, points and kinds of death. */
import { crashCases, openCrashRooms } from '../rollback/crash-cases.js';
import { chains, deaths } from '../rollback/crash-chains.js';
import { CrashMatrix, type Cell } from '../rollback/crash-matrix.js';
import { startTestServer } from '../support/server.js';

const wanted = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? 10_000);
const worlds = 8;
const server = await startTestServer();
// eslint-disable-next-line no-restricted-properties -- how the rooms of tests learn of their server
process.env['BELAY_TEST_SERVER'] = server.adminUrl;
const rooms = await openCrashRooms(worlds);
const matrix = new CrashMatrix(rooms);
await matrix.learn(crashCases);
const began = performance.now();
for (let crashes = 0; crashes < wanted;) {
  const { killedRuns, cutSessions, killedProcesses, resumesWithinMs, slowestResumeMs, slowest, failures } =
    await matrix.run(Array.from({ length: 200 }, someCell));
  crashes = killedRuns + cutSessions;
  const seconds = Math.round((performance.now() - began) / 1_000);
  console.log(
    `${crashes} crashes (${killedRuns} runs in ${killedProcesses} processes killed, ${cutSessions} times all sessions ended) ` +
      `in ${seconds} s: resumed within ${resumesWithinMs} ms (95 %), ${slowestResumeMs} ms (all; goal ≤ 5000: ${slowest}), wrong ends ${failures.length} (goal 0)`,
  );
  for (const failure of failures) console.log(`  ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}
await Promise.all(rooms.map((room) => room.close()));
await server.stop();

/** Each point of a chain may be passed unharmed, or die in any way. */
function someCell(): Cell {
  const subject = one(crashCases);
  const { back, points } = one(chains);
  const idx = subject.leading?.length ?? 0;
  const kills = points.flatMap((point) => {
    if (Math.random() < 0.3) return [];
    const death = one(deaths);
    return [{ point, idx, how: death.how, afterMs: death.afterMs === 0 ? 0 : Math.round(Math.random() * 80) }];
  });
  return { subject, back, kills };
}

function one<Thing>(things: readonly Thing[]): Thing {
  const thing = things[Math.floor(Math.random() * things.length)];
  if (thing === undefined) throw new Error('there is none to choose');
  return thing;
}
