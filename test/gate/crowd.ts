import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Clients that ask the same thing over and over, each on a connection that stays open. */
export class Crowd {
  readonly failures: string[] = [];
  requests = 0;
  slowestMs = 0;
  readonly #agent: Agent;
  readonly #members: Promise<void>[];
  #leaving = false;

  constructor(
    private readonly url: string,
    readonly size: number,
  ) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: size });
    this.#members = Array.from({ length: size }, () => this.member());
  }

  async leave(): Promise<void> {
    this.#leaving = true;
    await Promise.all(this.#members);
    this.#agent.destroy();
  }

  private async member(): Promise<void> {
    while (!this.#leaving) {
      const began = performance.now();
      const outcome = await this.ask();
      this.requests += 1;
      this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
      if (outcome !== '200') this.failures.push(outcome);
      // Enough to leave the machine something for everybody else.
      await sleep(20);
    }
  }

  private ask(): Promise<string> {
    return new Promise((resolve) => {
      const asked = request(this.url, { agent: this.#agent }, (response) => {
        response
          .on('error', (error) => {
            resolve(error.message);
          })
          .on('end', () => {
            resolve(String(response.statusCode));
          })
          .resume();
      });
      asked
        .on('error', (error) => {
          resolve(error.message);
        })
        .end();
    });
  }
}
