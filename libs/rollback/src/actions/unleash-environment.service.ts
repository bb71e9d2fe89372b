import type { Config } from '@belay/platform';
import { z } from 'zod';

const ANSWERED_WITHIN_MS = 5_000;

/** One environment of an Unleash server, by its admin API. Every failure names the call and the answer. */
export class UnleashEnvironment {
  private constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly project: string,
    private readonly environment: string,
  ) {}

  /** Undefined when nothing says how to change Unleash. */
  static of(config: Config): UnleashEnvironment | undefined {
    const {
      UNLEASH_URL: url,
      UNLEASH_ADMIN_TOKEN: token,
      UNLEASH_PROJECT: project,
      UNLEASH_ENVIRONMENT: name,
    } = config;
    if (url === undefined || token === undefined) return undefined;
    return new UnleashEnvironment(url.replace(/\/+$/, ''), token, project, name);
  }

  /** Whether each flag is on; flags it does not have are left out. */
  async states(flags: readonly string[], signal: AbortSignal): Promise<Record<string, boolean>> {
    const states: Record<string, boolean> = {};
    for (const flag of flags) {
      const answer = await this.call('GET', this.path(flag), signal, [404]);
      if (answer.status !== 404) states[flag] = z.object({ enabled: z.boolean() }).parse(await answer.json()).enabled;
    }
    return states;
  }

  async set(flag: string, on: boolean, signal: AbortSignal): Promise<void> {
    await this.call('POST', `${this.path(flag)}/${on ? 'on' : 'off'}`, signal);
  }

  private path(flag: string): string {
    return `/admin/projects/${this.project}/features/${encodeURIComponent(flag)}/environments/${this.environment}`;
  }

  private async call(method: string, path: string, signal: AbortSignal, tolerated: number[] = []): Promise<Response> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: this.token },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWERED_WITHIN_MS)]),
    });
    if (answer.ok || tolerated.includes(answer.status)) return answer;
    throw new Error(`Unleash answered ${answer.status} to ${method} ${path}: ${await answer.text()}`);
  }
}
