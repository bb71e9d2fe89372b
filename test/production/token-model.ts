import type { TestApi } from '../support/test-api.js';

/** One entry of a token's history. */
interface Told {
  readonly tokenId: string;
  readonly type: string;
  readonly nodeId: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What the model takes a token for after its history. */
interface Believed {
  readonly status: string;
  readonly nodeId: string | null;
  readonly isHeld: boolean;
}

const ended = ['completed', 'scrapped', 'merged', 'consumed'];

/** What a token may be when the entry is made; what is not named here may come at any time of its life. */
const before: Readonly<Record<string, readonly string[]>> = {
  NODE_START: ['ready'],
  NODE_PAUSE: ['active'],
  NODE_RESUME: ['paused'],
  NODE_COMPLETE: ['ready', 'active', 'paused'],
  QC_PASS: ['ready', 'active', 'paused'],
  QC_FAIL: ['ready', 'active', 'paused'],
  QUEUED: ['ready', 'waiting'],
  WOKEN: ['waiting'],
  TOKEN_SPLIT: ['ready', 'waiting'],
};
const work = ['NODE_START', 'NODE_RESUME', 'NODE_COMPLETE', 'QC_PASS', 'QC_FAIL'];
/** What a token becomes by entries that do not say it themselves. */
const after: Readonly<Record<string, string>> = {
  NODE_START: 'active',
  NODE_PAUSE: 'paused',
  NODE_RESUME: 'active',
  WOKEN: 'ready',
  // By whoever worked on it; one that is let go after a hold says what it is.
  RELEASED: 'ready',
};

/** The life of one token, told entry by entry: what cannot follow on what was before is refused. */
class TokenModel {
  #status = 'unborn';
  #nodeId: string | null = null;
  #isHeld = false;

  get believed(): Believed {
    return { status: this.#status, nodeId: ended.includes(this.#status) ? null : this.#nodeId, isHeld: this.#isHeld };
  }

  /** Why the entry cannot be; null when it can, and then it has happened. */
  hear({ type, nodeId, payload }: Told): string | null {
    const fault = this.faultOf(type, nodeId, payload);
    if (fault !== null) return `${type} at ${this.#status}: ${fault}`;
    if (type === 'NODE_ENTER') this.#nodeId = nodeId;
    if (type === 'NODE_LEAVE') this.#nodeId = null;
    if (type === 'HELD') this.#isHeld = true;
    const letGo = type === 'RELEASED' && 'holdCode' in payload;
    const { status } = payload;
    this.#status = typeof status === 'string' ? status : (after[type] ?? this.#status);
    if (letGo || type === 'NODE_LEAVE' || ended.includes(this.#status)) this.#isHeld = false;
    return null;
  }

  private faultOf(type: string, nodeId: string | null, payload: Told['payload']): string | null {
    if ((type === 'TOKEN_CREATE') !== (this.#status === 'unborn')) return 'a token is made once, and first';
    if (type === 'TOKEN_CREATE') return null;
    if (ended.includes(this.#status) && type !== 'NODE_LEAVE') return 'nothing happens to what has ended';
    if (type === 'NODE_ENTER' || type === 'REPLACEMENT') return this.#nodeId === null ? null : 'it is somewhere else';
    if (nodeId !== this.#nodeId) return 'it is not there';
    if (this.#isHeld && work.includes(type)) return 'nobody works on what is held';
    if (type === 'RELEASED' && !('holdCode' in payload)) {
      return ['active', 'paused'].includes(this.#status) ? null : 'nobody works on it';
    }
    const takenOver = type === 'NODE_START' && 'replaces' in payload;
    const allowed = takenOver ? ['ready', 'active', 'paused'] : before[type];
    return allowed && !allowed.includes(this.#status) ? `only from ${allowed.join(', ')}` : null;
  }
}

/** Tells the histories of the jobs' tokens to a model each; answers what it cannot believe, and what turns out otherwise. */
export async function disbelieved(api: TestApi, ticketIds: readonly string[]): Promise<string[]> {
  const told = await api.rows<Told & Record<string, unknown>>(
    `SELECT e.token_id AS "tokenId", e.type, e.node_id AS "nodeId", e.payload
     FROM production.token_event e
     JOIN production.flow_token t ON t.id = e.token_id
     JOIN production.job_graph_instance i ON i.id = t.instance_id
     WHERE i.job_ticket_id = ANY ($1::uuid[]) ORDER BY e.id`,
    [ticketIds],
  );
  const models = new Map<string, TokenModel>();
  const faults: string[] = [];
  for (const one of told) {
    const model = models.get(one.tokenId) ?? new TokenModel();
    models.set(one.tokenId, model);
    const fault = model.hear(one);
    if (fault !== null) faults.push(`${one.tokenId}: ${fault}`);
  }
  const rows = await api.rows<Believed & { id: string } & Record<string, unknown>>(
    `SELECT t.id, t.status, t.current_node_id AS "nodeId", t.hold_code IS NOT NULL AS "isHeld"
     FROM production.flow_token t JOIN production.job_graph_instance i ON i.id = t.instance_id
     WHERE i.job_ticket_id = ANY ($1::uuid[])`,
    [ticketIds],
  );
  for (const { id, status, nodeId, isHeld } of rows) {
    const believed = models.get(id)?.believed;
    const found = { status, nodeId, isHeld };
    if (JSON.stringify(believed) !== JSON.stringify(found)) {
      faults.push(`${id}: is ${JSON.stringify(found)}, told ${JSON.stringify(believed)}`);
    }
  }
  return faults;
}
