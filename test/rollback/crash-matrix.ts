import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CrashCase } from './crash-cases.js';
import { report, type Kill, type Orders } from './crash-orders.js';
import type { RunRoom } from './run-room.js';

/** One run, and where its executors die. */
export interface Cell {
  readonly subject: CrashCase;
  /** With a second step that fails, so that the first is taken back. */
  readonly back: boolean;
  readonly kills: readonly Kill[];
}

export interface MatrixReport {
  readonly killedProcesses: number;
  readonly killedRuns: number;
  readonly cutSessions: number;
  readonly slowestResumeMs: number;
  readonly failures: readonly string[];
}

interface Golden {
  readonly before: unknown;
  readonly forth: unknown;
  readonly back: unknown;
}

/** A world with a cell in it. */
class Bench {
  cell: Cell | undefined;
  runId = '';
  left: readonly Kill[] = [];
  /** Whether its executor has just died. */
  hit = false;
  /** From when on somebody was there to go on. */
  hits: number[] = [];

  constructor(readonly room: RunRoom) {}
}

const timing = { leaseTtlMs: 800, heartbeatMs: 150, pollMs: 50 };
const stuckAfterMs = 40_000;

/**
 * Runs cells in worlds of their own, several in one process that is killed when each has reached its point, and judges each
 * by a run that nobody disturbed.
 */
export class CrashMatrix {
  readonly #benches: readonly Bench[];
  readonly #golden = new Map<CrashCase, Golden>();
  readonly #failures: string[] = [];
  #processes = 0;
  #runs = 0;
  #cuts = 0;
  #slowestMs = 0;

  constructor(rooms: readonly RunRoom[]) {
    this.#benches = rooms.map((room) => new Bench(room));
  }

  async run(cells: readonly Cell[]): Promise<MatrixReport> {
    const queue = [...cells];
    let next = this.spawn();
    for (;;) {
      await Promise.all(this.#benches.filter(({ cell }) => !cell).map((bench) => this.fill(bench, queue.shift())));
      const busy = this.#benches.filter(({ cell }) => cell);
      const child = await next;
      if (busy.length === 0) {
        child.kill('SIGKILL');
        break;
      }
      next = this.spawn();
      await this.round(child, busy);
    }
    return {
      killedProcesses: this.#processes,
      killedRuns: this.#runs,
      cutSessions: this.#cuts,
      slowestResumeMs: this.#slowestMs,
      failures: this.#failures,
    };
  }

  /** What the worlds are like before and after a run in peace; every case once, in each direction. */
  async learn(cases: readonly CrashCase[]): Promise<void> {
    const queue = cases.flatMap((subject) => [
      { subject, back: false, kills: [] },
      { subject, back: true, kills: [] },
    ]);
    const found = new Map<CrashCase, { before: unknown; ends: Map<boolean, unknown> }>();
    this.#learning = (cell, before, after) => {
      const known = found.get(cell.subject) ?? { before, ends: new Map<boolean, unknown>() };
      known.ends.set(cell.back, after);
      found.set(cell.subject, known);
    };
    await this.run(queue);
    this.#learning = undefined;
    for (const [subject, { before, ends }] of found) {
      this.#golden.set(subject, { before, forth: ends.get(false), back: ends.get(true) });
    }
  }

  golden(subject: CrashCase): Golden | undefined {
    return this.#golden.get(subject);
  }

  #learning: ((cell: Cell, before: unknown, after: unknown) => void) | undefined;
  readonly #before = new Map<Bench, unknown>();

  private async fill(bench: Bench, cell: Cell | undefined): Promise<void> {
    if (!cell) return;
    const { room } = bench;
    await room.clear();
    await cell.subject.prepare(room);
    this.#before.set(bench, await cell.subject.content(room));
    const steps = [{ ...cell.subject.step, input: await cell.subject.input(room) }];
    const broken = { action: 'shelf.put', input: { name: 'broken', fails: 'verify' } };
    bench.runId = await room.request(cell.back ? [...steps, broken] : steps);
    bench.cell = cell;
    bench.left = cell.kills;
    bench.hits = [];
    bench.hit = false;
  }

  /** One process from its beginning to its death. */
  private async round(child: ChildProcess, busy: readonly Bench[]): Promise<void> {
    const open = new Set(busy);
    const ended: Bench[] = [];
    const over = new Promise<void>((resolve) => {
      const late = setTimeout(() => {
        for (const bench of open) this.fail(bench.cell, 'does not get on');
        ended.push(...open);
        resolve();
      }, stuckAfterMs);
      const settle = () => {
        if (open.size > 0) return;
        clearTimeout(late);
        resolve();
      };
      child.once('exit', () => {
        clearTimeout(late);
        for (const bench of open) this.fail(bench.cell, 'ended its process');
        ended.push(...open);
        resolve();
      });
      child.on('message', (message) => {
        const told = report.parse(message);
        const bench = 'place' in told ? busy[told.place] : undefined;
        if (!bench) return;
        if ('standing' in told) {
          if (bench.hit) bench.hits.push(told.standing);
          bench.hit = false;
        } else if ('cut' in told) {
          this.#cuts += 1;
          bench.hits.push(told.at);
        } else if ('reached' in told) {
          bench.left = bench.left.slice(told.reached);
          this.#runs += 1;
          open.delete(bench);
        } else if ('ended' in told) {
          ended.push(bench);
          open.delete(bench);
        }
        settle();
      });
    });
    const orders: Orders = {
      timing,
      worlds: busy.map(({ room, runId, left }) => ({ env: { ...room.env }, runId, kills: [...left] })),
    };
    child.send(orders);
    await over;
    child.removeAllListeners('exit');
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    this.#processes += 1;
    for (const bench of busy) bench.hit = !ended.includes(bench);
    await Promise.all(ended.map((bench) => this.judge(bench)));
  }

  private async judge(bench: Bench): Promise<void> {
    const { cell, room, runId, hits } = bench;
    bench.cell = undefined;
    if (!cell) return;
    const { subject, back } = cell;
    const after = await subject.content(room);
    if (this.#learning) {
      this.#learning(cell, this.#before.get(bench), after);
      return;
    }
    const golden = this.#golden.get(subject);
    const expected = back ? golden?.back : golden?.forth;
    const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
    const state = await room.state(runId);
    const wanted = back ? 'compensated' : 'monitoring';
    if (state !== wanted) this.fail(cell, `ended ${state}: ${JSON.stringify(await room.steps(runId))}`);
    else if (!same(after, expected)) {
      this.fail(cell, `left ${JSON.stringify(after)} instead of ${JSON.stringify(expected)}`);
    }
    const told = await room.control<{ seq: string; type: string; ms: number; percent: number | null }>(
      `SELECT seq, type, extract(epoch FROM at)::float8 * 1000 AS ms, (payload->>'percent')::float8 AS percent
       FROM control.run_event WHERE run_id = $1 ORDER BY seq`,
      [runId],
    );
    if (told.some(({ seq }, place) => Number(seq) !== place + 1)) this.fail(cell, 'has a gap in its events');
    const percents = told.flatMap(({ percent }) => percent ?? []);
    if (percents.some((percent, place) => percent < (percents[place - 1] ?? 0)))
      this.fail(cell, 'goes back in percent');
    for (const hit of hits) {
      const resumed = told.find(({ ms }) => ms >= hit);
      if (resumed) this.#slowestMs = Math.max(this.#slowestMs, resumed.ms - hit);
    }
  }

  private fail(cell: Cell | undefined, why: string): void {
    const kills = cell?.kills.map(({ how, point, idx, afterMs }) => `${how} ${point} of ${idx} +${afterMs}`).join(', ');
    this.#failures.push(`${cell?.subject.step.action} ${cell?.back ? 'back' : 'forth'} [${kills}] ${why}`);
  }

  private async spawn(): Promise<ChildProcess> {
    const child = fork(fileURLToPath(new URL('processes/executor.ts', import.meta.url)), {
      execArgv: ['--import', new URL('../support/ts-loader.mjs', import.meta.url).href],
      env: {},
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(child, 'message');
    return child;
  }
}
