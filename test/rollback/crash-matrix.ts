import type { CrashCase } from './crash-cases.js';
import type { Kill, Report } from './crash-orders.js';
import { ExecutorProcess } from './executor-process.js';
import type { RunRoom } from './run-room.js';

/** One run, and where its executors die. */
export interface Cell {
  readonly subject: CrashCase;
  /** With a step behind it that fails, so that it is taken back. */
  readonly back: boolean;
  readonly kills: readonly Kill[];
}

export interface MatrixReport {
  readonly killedProcesses: number;
  /** Runs whose executor died with its process. */
  readonly killedRuns: number;
  /** Times that all sessions of an executor were ended. */
  readonly cutSessions: number;
  /** From when somebody could go on to the next word of the run: for 95 of 100, and for all. */
  readonly resumesWithinMs: number;
  readonly slowestResumeMs: number;
  readonly slowest: string;
  readonly failures: readonly string[];
}

interface Facts {
  readonly state: unknown;
  readonly effects: unknown;
}

/** What comes of a case when nobody disturbs it. */
export interface Golden {
  readonly before: Facts;
  readonly forth: Facts;
  readonly back: Facts;
}

/** A world with a cell in it. */
class Bench {
  cell: Cell | undefined;
  runId = '';
  before: Facts = { state: null, effects: null };
  left: readonly Kill[] = [];
  /** Whether its executor has just died. */
  hit = false;
  /** From when on somebody was there to go on. */
  hits: number[] = [];

  constructor(readonly room: RunRoom) {}
}

const timing = { leaseTtlMs: 1_000, heartbeatMs: 150, pollMs: 50 };
const stuckAfterMs = 60_000;

/**
 * Runs cells in worlds of their own, several in one process that is killed when each has reached its point, and judges each
 * by a run that nobody disturbed.
 */
export class CrashMatrix {
  readonly #benches: readonly Bench[];
  readonly #golden = new Map<CrashCase, Partial<Golden>>();
  readonly #failures: string[] = [];
  #learning = false;
  #processes = 0;
  #runs = 0;
  #cuts = 0;
  readonly #resumes: { readonly ms: number; readonly of: string }[] = [];

  constructor(rooms: readonly RunRoom[]) {
    this.#benches = rooms.map((room) => new Bench(room));
  }

  /** Every case once in each direction, in peace. */
  async learn(cases: readonly CrashCase[]): Promise<void> {
    this.#learning = true;
    await this.run(cases.flatMap((subject) => [false, true].map((back) => ({ subject, back, kills: [] }))));
    this.#learning = false;
  }

  golden(subject: CrashCase): Partial<Golden> {
    return this.#golden.get(subject) ?? {};
  }

  async run(cells: readonly Cell[]): Promise<MatrixReport> {
    const queue = [...cells];
    let next = ExecutorProcess.start();
    for (;;) {
      await Promise.all(this.#benches.filter(({ cell }) => !cell).map((bench) => this.fill(bench, queue.shift())));
      const busy = this.#benches.filter(({ cell }) => cell);
      const process = await next;
      if (busy.length === 0) {
        await process.kill();
        return this.report();
      }
      // Started meanwhile, it stands by and has no orders.
      next = ExecutorProcess.start();
      await this.round(process, busy);
    }
  }

  report(): MatrixReport {
    const slowest = this.slowerThan(1);
    return {
      killedProcesses: this.#processes,
      killedRuns: this.#runs,
      cutSessions: this.#cuts,
      resumesWithinMs: this.slowerThan(0.95)?.ms ?? 0,
      slowestResumeMs: slowest?.ms ?? 0,
      slowest: slowest?.of ?? 'none',
      failures: this.#failures,
    };
  }

  private slowerThan(share: number) {
    const sorted = this.#resumes.toSorted((one, other) => one.ms - other.ms);
    return sorted[Math.ceil(share * sorted.length) - 1];
  }

  private async fill(bench: Bench, cell: Cell | undefined): Promise<void> {
    if (!cell) return;
    const { subject, back, kills } = cell;
    const { action, leading = [], step = {} } = subject;
    await bench.room.clear();
    await subject.prepare(bench.room);
    bench.before = await this.facts(bench.room, subject);
    const steps = [...leading, { ...step, action, input: await subject.input(bench.room) }];
    const broken = { action: 'shelf.put', input: { name: 'broken', fails: 'verify' } };
    bench.runId = await bench.room.request(back ? [...steps, broken] : steps);
    bench.cell = cell;
    bench.left = kills;
    bench.hits = [];
    bench.hit = false;
  }

  private async facts(room: RunRoom, { state, effects }: CrashCase): Promise<Facts> {
    return { state: await state(room), effects: (await effects?.(room)) ?? null };
  }

  /** One process from its beginning to its death. */
  private async round(process: ExecutorProcess, busy: readonly Bench[]): Promise<void> {
    const open = new Set(busy);
    const ended: Bench[] = [];
    const byHand = busy.filter(({ cell }) => cell?.subject.byHand);
    const asking = setInterval(() => {
      for (const { room } of byHand) void room.confirm();
    }, 100);
    await new Promise<void>((resolve) => {
      const giveUp = (why: string) => {
        for (const bench of open) this.fail(bench.cell, why);
        ended.push(...open);
        open.clear();
        resolve();
      };
      const late = setTimeout(giveUp, stuckAfterMs, 'does not get on');
      process.onDeath(() => {
        giveUp('ended its process');
      });
      process.onReport((told) => {
        const bench = 'place' in told ? busy[told.place] : undefined;
        if (!bench) return;
        this.hear(bench, told);
        if (!('reached' in told) && !('ended' in told)) return;
        // Under load it may lose its lease while it waits to be killed, and go on.
        if ('ended' in told && open.has(bench)) ended.push(bench);
        open.delete(bench);
        if (open.size > 0) return;
        clearTimeout(late);
        resolve();
      });
      void process.order({
        timing,
        worlds: busy.map(({ room, runId, left }) => ({ env: { ...room.env }, runId, kills: [...left] })),
      });
    });
    clearInterval(asking);
    await process.kill();
    if (!this.#learning) this.#processes += 1;
    for (const bench of busy) bench.hit = !ended.includes(bench);
    await Promise.all(ended.map((bench) => this.judge(bench)));
  }

  private hear(bench: Bench, told: Report): void {
    if ('standing' in told) {
      if (bench.hit) bench.hits.push(told.standing);
      bench.hit = false;
    } else if ('cut' in told) {
      this.#cuts += 1;
      bench.hits.push(told.at);
    } else if ('reached' in told) {
      bench.left = bench.left.slice(told.reached);
      this.#runs += 1;
    }
  }

  private async judge(bench: Bench): Promise<void> {
    const { cell, room, runId, before } = bench;
    bench.cell = undefined;
    if (!cell) return;
    const after = await this.facts(room, cell.subject);
    const state = await room.state(runId);
    const wanted = cell.back ? (cell.subject.byHand ? 'manual' : 'compensated') : 'monitoring';
    if (state !== wanted) {
      const last = (await room.events(runId)).slice(-6).map(({ type }) => type);
      this.fail(cell, `ended ${state} (${last.join(', ')}): ${JSON.stringify(await room.steps(runId))}`);
    }
    if (this.#learning) {
      const known = this.#golden.get(cell.subject) ?? { before };
      this.#golden.set(cell.subject, { ...known, [cell.back ? 'back' : 'forth']: after });
      return;
    }
    const golden = this.golden(cell.subject);
    const expected = JSON.stringify(cell.back ? golden.back : golden.forth);
    if (JSON.stringify(after) !== expected) this.fail(cell, `left ${JSON.stringify(after)} instead of ${expected}`);
    await this.judgeEvents(bench, cell);
  }

  private async judgeEvents({ room, runId, hits }: Bench, cell: Cell): Promise<void> {
    const told = await room.control<{ seq: string; ms: number; percent: number | null }>(
      `SELECT seq, extract(epoch FROM at)::float8 * 1000 AS ms, (payload->>'percent')::float8 AS percent
       FROM control.run_event WHERE run_id = $1 ORDER BY seq`,
      [runId],
    );
    if (told.some(({ seq }, place) => Number(seq) !== place + 1)) this.fail(cell, 'has a gap in its events');
    const percents = told.flatMap(({ percent }) => percent ?? []);
    if (percents.some((percent, place) => percent < (percents[place - 1] ?? 0)))
      this.fail(cell, 'goes back in percent');
    for (const hit of hits) {
      const resumed = told.find(({ ms }) => ms >= hit);
      if (resumed) this.#resumes.push({ ms: Math.round(resumed.ms - hit), of: named(cell) });
    }
  }

  private fail(cell: Cell | undefined, why: string): void {
    this.#failures.push(`${cell ? named(cell) : ''} ${why}`);
  }
}

function named({ subject, back, kills }: Cell): string {
  const deaths = kills.map(({ how, point, afterMs }) => `${how} ${point} +${afterMs}`).join(', ');
  return `${subject.action} ${back ? 'back' : 'forth'} [${deaths}]`;
}
