import { randomUUID } from 'node:crypto';
import { problem } from '@belay/platform';
import { RunningJob } from '../../libs/platform/src/jobs/running-job.js';
import { Absence } from '../../libs/production/src/work/absence.service.js';
import { HealthService } from '../../libs/production/src/work/health.service.js';
import { RoomService } from '../../libs/production/src/work/room.service.js';
import { SessionUpkeep } from '../../libs/production/src/work/session-upkeep.service.js';
import { WakeUp } from '../../libs/production/src/work/wake-up.service.js';
import { WorkProcessor } from '../../libs/production/src/work/work.processor.js';
import { seeded, type Operator, type Plant, type Scenario } from './simulated-plant.js';

const MINUTE = 60_000;
const BEGIN = Date.parse('2027-03-01T08:00:00Z');

interface Appointment {
  readonly at: number;
  readonly no: number;
  readonly act: () => Promise<void>;
}

interface Offer {
  readonly operatorId: string;
  readonly tokenId: string;
  readonly nodeId: string;
  readonly code: string;
  readonly minutes: number;
  readonly reworkCount: number;
}

/** What a virtual operator does now; `due` is when they are done, as long as nobody sends them away. */
interface Work extends Offer {
  readonly operator: Operator;
  /** Milliseconds that are still to be worked, from `since` on. */
  left: number;
  since: number;
  pausedSince: number | null;
  /** Milliseconds worked before the last pause. */
  spent: number;
}

/** One piece of work that somebody has done, as they themselves noted it down. */
export interface Done {
  readonly tokenId: string;
  readonly nodeId: string;
  readonly operatorId: string;
  readonly milliseconds: number;
}

export interface Outcome {
  readonly ticketIds: readonly string[];
  readonly done: readonly Done[];
  /** Spread of the open work within a team, averaged over the teams and the time in which there was some. */
  readonly sigma: number;
  /** Minutes from the first job to the last piece. */
  readonly minutes: number;
  /** What happened, in words that do not depend on ids. */
  readonly trace: readonly string[];
}

/** A plant in virtual time: whatever its people and jobs do is done to the real application, one thing after the other. */
export class Simulation {
  readonly #random: () => number;
  readonly #agenda: Appointment[] = [];
  readonly #work = new Map<string, Work>();
  readonly #names: ReadonlyMap<string, string>;
  readonly #ticketIds: string[] = [];
  readonly #done: Done[] = [];
  readonly #trace: string[] = [];
  readonly #spreads: number[] = [];
  readonly #full = new Set<string>();
  readonly #processor: WorkProcessor;
  #now = BEGIN;
  #no = 0;
  #heard = 0;

  constructor(
    private readonly plant: Plant,
    private readonly scenario: Scenario,
  ) {
    this.#random = seeded(scenario.seed + 2);
    this.#names = new Map(plant.operators.map(({ id, category }, n) => [id, `${category} ${n}`]));
    const { app } = plant.shop.api;
    this.#processor = new WorkProcessor(
      app.get(Absence),
      app.get(HealthService),
      app.get(RoomService),
      app.get(SessionUpkeep),
      app.get(WakeUp),
    );
  }

  async run(): Promise<Outcome> {
    for (const { graph, pieces, minute, priority } of this.scenario.jobs) {
      this.plan(minute, () => this.begin(graph, pieces, priority));
    }
    for (const { operator, from, until } of this.scenario.leaves) {
      const away = this.plant.operators[operator];
      if (!away) continue;
      await this.register(away.id, from, until);
      this.plan(from, () => this.leave(away, until));
      this.plan(until, () => this.comeBack(away));
    }
    this.plan(5, () => this.measure());
    for (let next = this.takeNext(); next; next = this.takeNext()) {
      this.#now = next.at;
      this.plant.shop.now = new Date(next.at);
      await next.act();
      await this.settle();
    }
    return {
      ticketIds: this.#ticketIds,
      done: this.#done,
      sigma: this.#spreads.reduce((one, other) => one + other, 0) / this.#spreads.length,
      minutes: (this.#now - BEGIN) / MINUTE,
      trace: this.#trace,
    };
  }

  private plan(minute: number, act: () => Promise<void>): void {
    this.schedule(BEGIN + minute * MINUTE, act);
  }

  private schedule(at: number, act: () => Promise<void>): void {
    this.#no += 1;
    this.#agenda.push({ at, no: this.#no, act });
  }

  private takeNext(): Appointment | undefined {
    const [first] = this.#agenda.toSorted((one, other) => one.at - other.at || one.no - other.no);
    if (first) this.#agenda.splice(this.#agenda.indexOf(first), 1);
    return first;
  }

  private async begin(graph: number, pieces: number, priority: number): Promise<void> {
    const { shop, graphs } = this.plant;
    const version = graphs[graph];
    if (!version) throw new Error(`There is no graph ${graph}`);
    const ticket = await shop.ticket(version, { processMode: 'piece', targetQty: pieces, priority });
    this.#ticketIds.push(ticket.id);
    await shop.start(ticket);
    this.note('job', String(graph));
  }

  /** Everything that follows from what has just happened: events are heard, and whoever is free takes what is theirs. */
  private async settle(): Promise<void> {
    do await this.listen();
    while ((await this.goOn()) || (await this.takeUp()));
  }

  private async listen(): Promise<void> {
    for (;;) {
      const rows = await this.plant.shop.api.rows<{ last: string; scope: string }>(
        `SELECT max(id)::text AS last, body ->> 'scope' AS scope FROM platform.outbox
         WHERE name = 'production.queue-wake' AND id > $1 GROUP BY 2 ORDER BY 2`,
        [this.#heard],
      );
      if (rows.length === 0) return;
      this.#heard = Math.max(...rows.map(({ last }) => Number(last)));
      for (const { scope } of rows) await this.#processor.wake(this.event({ scope }), this.job());
    }
  }

  /** Whoever has nothing to do begins with the first of what is theirs; whether anybody did. */
  private async takeUp(): Promise<boolean> {
    const idle = this.plant.operators.filter(({ id }) => !this.#work.has(id) && !this.plant.away.has(id));
    const offers = await this.plant.shop.api.rows<Offer & Record<string, unknown>>(
      `SELECT DISTINCT ON (a.operator_id) a.operator_id AS "operatorId", t.id AS "tokenId", n.id AS "nodeId",
              n.node_code AS code, n.estimated_minutes::float8 AS minutes, t.rework_count AS "reworkCount"
       FROM production.token_assignment a
       JOIN production.flow_token t ON t.id = a.token_id AND t.status = 'ready' AND t.hold_code IS NULL
       JOIN production.routing_node n ON n.id = t.current_node_id
       WHERE a.status IN ('assigned', 'accepted') AND a.operator_id = ANY ($1::uuid[]) AND n.id <> ALL ($2::uuid[])
       ORDER BY a.operator_id, t.priority DESC, a.assigned_at, t.id`,
      [idle.map(({ id }) => id), [...this.#full]],
    );
    let begun = false;
    for (const operator of idle) {
      const offer = offers.find(({ operatorId }) => operatorId === operator.id);
      if (offer) begun = (await this.start(operator, offer)) || begun;
    }
    return begun;
  }

  private async start(operator: Operator, offer: Offer): Promise<boolean> {
    const refusal = await this.post(operator, `tokens/${offer.tokenId}/start`);
    if (refusal === 'concurrency-full') this.#full.add(offer.nodeId);
    else if (refusal !== null) throw new Error(`${offer.code} was not started: ${refusal}`);
    if (refusal !== null) return false;
    const left = Math.round(offer.minutes * operator.pace * (0.6 + this.#random() * 0.8) * 60) * 1_000;
    const work: Work = { ...offer, operator, left, since: this.#now, pausedSince: null, spent: 0 };
    this.#work.set(operator.id, work);
    this.note('start', operator.id, offer.code);
    this.endLater(work);
    return true;
  }

  private endLater(work: Work): void {
    const { since, left } = work;
    this.schedule(since + left, async () => {
      const unchanged = this.#work.get(work.operator.id) === work && work.pausedSince === null && work.since === since;
      if (unchanged) await this.finish(work);
    });
  }

  private async finish(work: Work): Promise<void> {
    const { operator, tokenId, nodeId, code, reworkCount } = work;
    const fails = code === 'QC' && reworkCount < 2 && this.#random() < 0.2;
    const fault = { result: 'fail', defectCode: 'SEAM' };
    const refusal =
      code === 'QC'
        ? await this.post(operator, `tokens/${tokenId}/qc`, fails ? fault : { result: 'pass' })
        : await this.post(operator, `tokens/${tokenId}/complete`);
    if (refusal !== null) throw new Error(`${code} was not completed: ${refusal}`);
    this.#work.delete(operator.id);
    this.#full.delete(nodeId);
    this.#done.push({ tokenId, nodeId, operatorId: operator.id, milliseconds: work.spent + work.left });
    this.note(fails ? 'fail' : 'done', operator.id, code);
  }

  private async leave(operator: Operator, until: number): Promise<void> {
    this.plant.away.add(operator.id);
    const body = { operatorId: operator.id, reason: 'leave', until: new Date(BEGIN + until * MINUTE).toISOString() };
    await this.#processor.leave(this.event({ ...body, from: new Date(this.#now).toISOString() }), this.job());
    const work = this.#work.get(operator.id);
    if (!work) return;
    const worked = this.#now - work.since;
    Object.assign(work, { left: work.left - worked, spent: work.spent + worked, pausedSince: this.#now });
    this.#full.delete(work.nodeId);
    this.note('leave', operator.id);
  }

  private async comeBack(operator: Operator): Promise<void> {
    this.plant.away.delete(operator.id);
    await this.#processor.available(this.event({ operatorId: operator.id }), this.job());
  }

  /** Whoever is back goes on with what they had begun, as soon as there is a place; whether anybody did. */
  private async goOn(): Promise<boolean> {
    let begun = false;
    for (const work of this.#work.values()) {
      const { operator, nodeId, tokenId } = work;
      if (work.pausedSince === null || this.plant.away.has(operator.id) || this.#full.has(nodeId)) continue;
      const refusal = await this.post(operator, `tokens/${tokenId}/resume`);
      if (refusal === 'concurrency-full') this.#full.add(nodeId);
      else if (refusal !== null) throw new Error(`${work.code} was not resumed: ${refusal}`);
      if (refusal !== null) continue;
      Object.assign(work, { since: this.#now, pausedSince: null });
      this.note('resume', operator.id);
      this.endLater(work);
      begun = true;
    }
    return begun;
  }

  private async register(operatorId: string, from: number, until: number): Promise<void> {
    await this.plant.shop.api.rows(
      `INSERT INTO assignment.leave_request (id, operator_id, leave_type, period, status, approved_by, created_by)
       VALUES ($1, $2, 'personal', tstzrange($3, $4), 'approved', $2, $2)`,
      [randomUUID(), operatorId, new Date(BEGIN + from * MINUTE), new Date(BEGIN + until * MINUTE)],
    );
  }

  /** How evenly open work lies on who is there, every five minutes while there is some. */
  private async measure(): Promise<void> {
    const rows = await this.plant.shop.api.rows<{ id: string; open: string }>(
      `SELECT operator_id AS id, count(*)::text AS open FROM production.token_assignment
       WHERE status IN ('assigned', 'accepted', 'started', 'paused') GROUP BY 1`,
    );
    const open = new Map(rows.map((row) => [row.id, Number(row.open)]));
    for (const category of Object.keys(this.scenario.crews)) {
      const there = this.plant.operators.filter((one) => one.category === category && !this.plant.away.has(one.id));
      const loads = there.map(({ id }) => open.get(id) ?? 0);
      if (loads.some((load) => load > 0)) this.#spreads.push(deviation(loads));
    }
    if (this.#agenda.length > 0) this.schedule(this.#now + 5 * MINUTE, () => this.measure());
  }

  /** Asks; null when it was done, else why not. */
  private async post(operator: Operator, path: string, body: object = {}): Promise<string | null> {
    const headers = { 'idempotency-key': randomUUID() };
    const response = await operator.api.send('POST', `/api/production/${path}`, body, headers);
    return response.statusCode < 300 ? null : problem.parse(response.json()).code;
  }

  private event<Body>(body: Body) {
    this.#no += 1;
    return { id: String(this.#no), name: 'simulated', occurredAt: new Date(this.#now), body };
  }

  private job(): RunningJob {
    const facts = { id: 'simulated', domain: 'production', name: 'simulated', attempt: 1, requestId: randomUUID() };
    return new RunningJob({ ...facts, signal: new AbortController().signal }, () => true);
  }

  private note(what: string, who: string, where = ''): void {
    this.#trace.push(`${(this.#now - BEGIN) / 1_000} ${what} ${this.#names.get(who) ?? who} ${where}`);
  }
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((one, other) => one + other, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
