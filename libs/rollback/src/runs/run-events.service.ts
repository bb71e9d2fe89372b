import { isoInstant, Listener } from '@belay/platform';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { z } from 'zod';
import { World } from '../engine/world.js';
import { runEventView, type EventFilter, type RunEvents, type RunEventView } from './run.contract.js';
import { RunNotFound } from './run.problems.js';

/** What is missed while the listening connection is away shows after this long. */
const POLL_MS = 1_000;
const BATCH = 500;

const columns = `
  seq::int AS seq, ${isoInstant('at')} AS at, type, payload`;
const events = z.array(runEventView);
const position = z.object({ last: z.number(), over: z.boolean() });

/** What happened in a run, to be read or followed from any number on: everybody sees the same sequence. */
@Injectable()
export class RunEventLog implements OnApplicationShutdown {
  readonly #listener: Listener;
  readonly #waiting = new Map<string, Set<() => void>>();
  #listening: Promise<void> | undefined;

  constructor(private readonly world: World) {
    this.#listener = new Listener(world.targets.controlUrl, 'belay-run-events-listener');
  }

  /** Throws `run-not-found`. */
  async read(runId: string, { after, limit }: EventFilter): Promise<RunEvents> {
    const { last } = await this.position(runId);
    return { items: await this.behind(runId, after, limit), last };
  }

  /** Sends what is behind the number, then what comes, and ends with the last event of a run that is over. */
  async follow(runId: string, after: number, send: (event: RunEventView) => void, signal: AbortSignal): Promise<void> {
    const stopped = () => signal.aborted;
    this.#listening ??= this.listen();
    await this.#listening;
    let seen = after;
    while (!stopped()) {
      const rings = this.rings(runId, signal);
      // Asked before the events, so that an end that is seen has all its events.
      const { over, last } = await this.position(runId);
      const batch = await this.behind(runId, seen, BATCH);
      for (const event of batch) {
        if (stopped()) return;
        send(event);
        seen = event.seq;
      }
      if (over && seen >= last) return;
      if (batch.length < BATCH) await rings;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    for (const waiting of this.#waiting.values()) for (const wake of waiting) wake();
    await this.#listener.close();
  }

  private async listen(): Promise<void> {
    await this.#listener.listen(
      'control_run_event',
      (payload) => {
        this.ring(payload.split(' ')[0] ?? '');
      },
      () => {
        for (const runId of this.#waiting.keys()) this.ring(runId);
      },
    );
  }

  private ring(runId: string): void {
    for (const wake of this.#waiting.get(runId) ?? []) wake();
  }

  private async rings(runId: string, signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(runId) ?? new Set();
    this.#waiting.set(runId, waiting);
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        waiting.delete(wake);
        if (waiting.size === 0 && this.#waiting.get(runId) === waiting) this.#waiting.delete(runId);
        resolve();
      };
      const timer = setTimeout(wake, POLL_MS);
      signal.addEventListener('abort', wake);
      waiting.add(wake);
    });
  }

  private async position(runId: string): Promise<z.infer<typeof position>> {
    const { rows } = await this.world.control.query(
      `SELECT last_event::int AS last, state IN ('monitoring', 'closed', 'compensated', 'cancelled') AS over
       FROM control.run WHERE id = $1`,
      [runId],
    );
    if (!rows[0]) throw new RunNotFound(runId);
    return position.parse(rows[0]);
  }

  private async behind(runId: string, after: number, limit: number): Promise<RunEventView[]> {
    const { rows } = await this.world.control.query(
      `SELECT ${columns} FROM control.run_event WHERE run_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
      [runId, after, limit],
    );
    return events.parse(rows);
  }
}
