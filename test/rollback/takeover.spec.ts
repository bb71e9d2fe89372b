import { describe, expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditTrail, violates } from '@belay/platform';
import { flagOff } from '../../libs/rollback/src/actions/flag.off.action.js';
import { system } from '../../libs/rollback/src/engine/actor.js';
import { preempt } from '../../libs/rollback/src/engine/preempt.js';
import { eventually } from '../support/eventually.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { apartIn } from './apart.js';
import { depot } from './depot.js';
import { ExecutorProcess } from './executor-process.js';
import { RunRoom, type WantedStep } from './run-room.js';
import { shelfActions, shelfSql } from './shelf.js';

const box = (name: string, ms = 0, action = 'shelf.put'): WantedStep => ({ action, input: { name, ms } });
const realTiming = { leaseTtlMs: 3_000, heartbeatMs: 1_000, pollMs: 1_000 };

const apart = apartIn(() => RunRoom.open([...shelfActions, flagOff], { domains: [depot], sql: shelfSql }));

const atWork = (room: RunRoom, runId: string, idx = 0) =>
  eventually(async () => {
    expect((await room.states(runId))[idx]).toBe('running');
    expect(
      await room.rows(
        `SELECT FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'belay:%' AND query LIKE '%pg_sleep%'`,
      ),
    ).toHaveLength(1);
  }, 15_000);
const process = async (room: RunRoom, runId: string) => {
  const started = await ExecutorProcess.start();
  await started.order({ timing: realTiming, worlds: [{ env: { ...room.env }, runId, kills: [] }] });
  return started;
};
const epochs = async (room: RunRoom, runId: string) =>
  (await room.rows<{ epoch: string }>(`SELECT DISTINCT epoch FROM shelf.effect WHERE run_id = $1`, [runId])).map(
    ({ epoch }) => Number(epoch),
  );
const preemptAll = async (room: RunRoom) => {
  const world = await room.world();
  const client = await world.control.connect();
  try {
    await client.query('BEGIN');
    const by = { ...system, name: 'maria' };
    const about = { by, scope: 'live', reason: 'everything is on fire', environment: 'test' } as const;
    const met = await preempt(client, world.control, new AuditTrail(world.control), about);
    await client.query('COMMIT');
    return met;
  } finally {
    client.release();
  }
};

describe('a hundred requests at once', () => {
  apart('leave exactly one run, which has its effect once', async (room) => {
    const world = await room.world();
    await room.host();
    await room.host();
    const asked = await Promise.all(
      Array.from({ length: 100 }, (_, place) =>
        room.request([box(`box ${place}`)]).catch((error: unknown) => {
          expect(violates(error, 'run_is_alone_in_its_scope')).toBe(true);
          return undefined;
        }),
      ),
    );
    const runs = asked.filter((runId) => runId !== undefined);
    // A request may come when the run before it has ended already; two are never at work together.
    for (const runId of runs) await room.becomes(runId, 'monitoring');
    expect(await room.effects()).toHaveLength(runs.length);
    const { rows } = await world.control.query<{ overlaps: number }>(
      `SELECT count(*)::int AS overlaps FROM control.run one JOIN control.run other
       ON one.id < other.id AND (one.started_at, one.finished_at) OVERLAPS (other.started_at, other.finished_at)
       WHERE one.id = ANY ($1) AND other.id = ANY ($1)`,
      [runs],
    );
    expect(rows).toEqual([{ overlaps: 0 }]);
  });

  apart('leave exactly one when nothing is at work yet', async (room) => {
    const asked = await Promise.allSettled(
      Array.from({ length: 100 }, (_, place) => room.request([box(`box ${place}`)])),
    );
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await Promise.all([room.host(), room.host(), room.host()]);
    await eventually(async () => {
      expect(await room.effects()).toHaveLength(1);
    }, 10_000);
  });
});

describe('several executors', () => {
  apart('do each step of many runs once', async (room) => {
    await Promise.all([room.host(), room.host(), room.host()]);
    for (let place = 0; place < 8; place += 1) {
      const runId = await room.request([box(`a${place}`), box(`b${place}`)]);
      await room.becomes(runId, 'monitoring');
      expect(await room.effects(runId)).toEqual([`put a${place}`, `put b${place}`]);
    }
  });

  apart('take over at once from one that ends in order', async (room) => {
    const first = await room.host();
    const runId = await room.request([box('slow', 60_000), box('b')]);
    await atWork(room, runId);
    await first.stop();
    await room.control(
      `UPDATE control.run_step SET input = '{"name": "slow", "ms": 0}' WHERE run_id = $1 AND idx = 0`,
      [runId],
    );
    await room.host();
    expect(await room.becomes(runId, 'monitoring')).toBeLessThan(3_000);
    expect(await room.effects(runId)).toEqual(['put slow', 'put b']);
  });
});

describe('an executor that is killed', () => {
  apart('is gone on for within five seconds, and its step is looked for before it is done again', async (room) => {
    const runId = await room.request([box('a', 20_000), box('b')]);
    const first = await process(room, runId);
    await atWork(room, runId);
    await room.host();
    const killedAt = Date.now();
    await first.kill();
    await room.control(`UPDATE control.run_step SET input = '{"name": "a", "ms": 0}' WHERE run_id = $1 AND idx = 0`, [
      runId,
    ]);
    await room.becomes(runId, 'monitoring');

    expect(await room.effects(runId)).toEqual(['put a', 'put b']);
    const events = await room.control<{ type: string; ms: number }>(
      `SELECT type, extract(epoch FROM at)::float8 * 1000 AS ms FROM control.run_event WHERE run_id = $1 ORDER BY seq`,
      [runId],
    );
    const resumed = events.find(({ type }) => type === 'step.reconciled');
    expect((resumed?.ms ?? Infinity) - killedAt).toBeLessThan(5_000);
  });

  apart(
    'or stopped for ten seconds in the middle of an effect, and then wakes, is refused everywhere',
    async (room) => {
      const runId = await room.request([box('a', 2_500), box('b')]);
      const zombie = await process(room, runId);
      await atWork(room, runId);
      zombie.signal('SIGSTOP');
      const host = room.host();
      await room.becomes(runId, 'monitoring', 20_000);
      const [before] = await room.control<{ last_event: string; epoch: string }>(
        `SELECT last_event, epoch FROM control.run WHERE id = $1`,
        [runId],
      );
      await sleep(4_000);
      zombie.signal('SIGCONT');
      await sleep(3_000);
      expect(await room.effects(runId)).toEqual(['put a', 'put b']);
      expect(await epochs(room, runId)).toEqual([Number(before?.epoch)]);
      expect(await room.control(`SELECT last_event, epoch FROM control.run WHERE id = $1`, [runId])).toEqual([before]);
      await zombie.kill();
      await host;
    },
  );
});

describe('a line that breaks', () => {
  apart(
    'to the lease loses it: the step is broken off, another goes on, and there is no second effect',
    async (room) => {
      const { proxy, url } = await TcpProxy.before(room.databases.controlUrl);
      await room.host({}, { CONTROL_DATABASE_URL: url });
      const runId = await room.request([box('a', 6_000), box('b')]);
      await atWork(room, runId);
      await room.host();
      proxy.hang();
      await eventually(async () => {
        expect((await room.events(runId)).some(({ type }) => type === 'step.reconciled')).toBe(true);
      }, 20_000);
      proxy.pass();
      await room.becomes(runId, 'monitoring', 20_000);
      expect(await room.effects(runId)).toEqual(['put a', 'put b']);
      expect(await epochs(room, runId)).toHaveLength(1);
      await room.stopHosts();
      await proxy.close();
    },
  );

  apart('to the control database stops everything, and what was done is found when it is there again', async (room) => {
    const { proxy, url } = await TcpProxy.before(room.databases.controlUrl);
    await room.host({}, { CONTROL_DATABASE_URL: url });
    const runId = await room.request([box('a', 1_000), box('b')]);
    await atWork(room, runId);
    proxy.refuse();
    await sleep(5_000);
    expect(await room.effects(runId)).not.toContain('put b');
    proxy.pass();
    await room.becomes(runId, 'monitoring', 20_000);
    expect(await room.effects(runId)).toEqual(['put a', 'put b']);
    await room.stopHosts();
    await proxy.close();
  });

  apart('to the application database leaves the step where it is until somebody can look', async (room) => {
    const { proxy, url } = await TcpProxy.before(room.databases.databaseUrl);
    await room.host({}, { DATABASE_URL: url });
    const runId = await room.request([box('a', 1_500), box('b')]);
    await atWork(room, runId);
    proxy.refuse();
    await eventually(async () => {
      expect((await room.states(runId))[0]).toBe('effect-unknown');
    }, 15_000);
    await sleep(3_000);
    expect(await room.states(runId)).toEqual(['effect-unknown', 'pending']);
    proxy.pass();
    await room.becomes(runId, 'monitoring', 20_000);
    expect(await room.effects(runId)).toEqual(['put a', 'put b']);
    await room.stopHosts();
    await proxy.close();
  });

  apart('at a session in the middle of an effect has it done again, once', async (room) => {
    await room.host();
    const runId = await room.request([box('a', 1_000), box('b')]);
    await atWork(room, runId);
    await room.rows(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()`,
    );
    await room.becomes(runId, 'monitoring');
    expect(await room.effects(runId)).toEqual(['put a', 'put b']);
    expect(await room.steps(runId)).toMatchObject([{ attempt: 2 }, { attempt: 1 }]);
  });
});

describe('epochs', () => {
  apart('go on beyond the fence when the control database was put back to an earlier time', async (room) => {
    await room.rows(`UPDATE platform.fence SET epoch = 100000`);
    await room.host();
    const runId = await room.request([box('a')]);
    await room.becomes(runId, 'monitoring');
    expect(await epochs(room, runId)).toEqual([100_002]);
  });
});

describe('an emergency', () => {
  const off: WantedStep = { action: 'flag.off', input: { flag: 'enable_depot' }, domain: 'depot' };

  apart('takes over from a run in the middle of an effect, which waits for a person afterwards', async (room) => {
    await room.host();
    const normal = await room.request([box('a', 60_000), box('b')]);
    await atWork(room, normal);
    const began = performance.now();
    expect(await preemptAll(room)).toEqual([normal]);
    const emergency = await room.request([off], { mode: 'emergency', policy: 'continue' });
    await room.becomes(emergency, 'monitoring');
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await room.state(normal)).toBe('paused: preempted');
    expect(await room.effects()).toEqual([]);

    await room.control(`UPDATE control.run_step SET input = '{"name": "a", "ms": 0}' WHERE run_id = $1 AND idx = 0`, [
      normal,
    ]);
    await room.wish(normal, 'resume');
    await room.becomes(normal, 'monitoring');
    expect(await room.effects(normal)).toEqual(['put a', 'put b']);
  });

  apart('switches off while the application database is away', async (room) => {
    const { proxy, url } = await TcpProxy.before(room.databases.databaseUrl);
    proxy.refuse();
    await room.host({}, { DATABASE_URL: url });
    const runId = await room.request([off], { mode: 'emergency', policy: 'continue' });
    expect(await room.becomes(runId, 'monitoring')).toBeLessThan(5_000);
    expect(await room.control(`SELECT off FROM control.flag_override WHERE flag = 'enable_depot'`)).toEqual([
      { off: true },
    ]);
    await room.stopHosts();
    await proxy.close();
  });

  apart('goes on with what it can when a step does not come off, and lists the rest', async (room) => {
    await room.host();
    const runId = await room.request([{ action: 'shelf.put', input: { name: 'a', fails: 'execute' } }, box('b'), off], {
      mode: 'emergency',
      policy: 'continue',
    });
    await room.becomes(runId, 'manual');
    expect(await room.states(runId)).toEqual(['failed', 'verified', 'verified']);
    expect(await room.effects()).toEqual(['put b']);
    expect(await room.result(runId)).toMatchObject({ remaining: [{ idx: 0, command: `belay retry ${runId} 0` }] });
  });

  apart('cancels a run that has not begun', async (room) => {
    const normal = await room.request([box('a')]);
    expect(await preemptAll(room)).toEqual([normal]);
    expect(await room.state(normal)).toBe('cancelled');
  });
});
