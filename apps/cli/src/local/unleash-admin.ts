export type UnleashMode = 'on' | 'read_only' | 'drain';

interface Strategy {
  readonly variant?: UnleashMode;
  /** Of the users; everybody, signed in or not, when absent. */
  readonly percent?: number;
}

const strategyOf = (flag: string, { variant, percent }: Strategy = {}) => ({
  name: 'flexibleRollout',
  parameters: {
    rollout: String(percent ?? 100),
    stickiness: percent === undefined ? 'default' : 'userId',
    groupId: flag,
  },
  constraints: [],
  segments: [],
  variants:
    variant === undefined ? [] : [{ name: variant, weight: 1_000, weightType: 'variable', stickiness: 'default' }],
});

/** The calls of Unleash's admin API that Belay's own tools and tests need. Every failure names the call and the answer. */
export class UnleashAdmin {
  readonly #environment: string;

  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly project = 'default',
    environment = 'development',
  ) {
    this.#environment = environment;
  }

  /** Creates the flag, off, unless it is there; says whether it was created. */
  async create(flag: string, description = ''): Promise<boolean> {
    const created = await this.call('POST', this.features, { name: flag, description, type: 'kill-switch' }, [409]);
    if (created.status === 409) return false;
    await this.call('POST', `${this.environment(flag)}/strategies`, strategyOf(flag));
    return true;
  }

  async set(flag: string, on: boolean): Promise<void> {
    await this.call('POST', `${this.environment(flag)}/${on ? 'on' : 'off'}`);
  }

  /** Everybody for whom the flag is on gets this mode. */
  setMode(flag: string, mode: UnleashMode): Promise<void> {
    return this.change(flag, { variant: mode });
  }

  /** On for this share of the users, always the same ones. */
  setPercent(flag: string, percent: number): Promise<void> {
    return this.change(flag, { percent });
  }

  /** Makes a field that strategies may look at; one that exists is left alone. */
  async addContextField(name: string, description: string): Promise<void> {
    await this.call('POST', '/api/admin/context', { name, description, legalValues: [], stickiness: true }, [400, 409]);
  }

  private get features(): string {
    return `/api/admin/projects/${this.project}/features`;
  }

  private environment(flag: string): string {
    return `${this.features}/${flag}/environments/${this.#environment}`;
  }

  private async change(flag: string, change: Strategy): Promise<void> {
    const answer = await this.call('GET', `${this.environment(flag)}/strategies`);
    const strategies: unknown = await answer.json();
    for (const strategy of Array.isArray(strategies) ? strategies : []) {
      const id = String(Reflect.get(Object(strategy), 'id'));
      await this.call('PUT', `${this.environment(flag)}/strategies/${id}`, strategyOf(flag, change));
    }
  }

  private async call(method: string, path: string, body?: object, tolerated: number[] = []): Promise<Response> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: this.token, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (answer.ok || tolerated.includes(answer.status)) return answer;
    throw new Error(`Unleash answered ${answer.status} to ${method} ${path}: ${await answer.text()}`);
  }
}
