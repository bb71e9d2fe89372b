/** Short lines of what is being done, each with the seconds since the command began. */
export class Progress {
  readonly #began = performance.now();

  get seconds(): string {
    return ((performance.now() - this.#began) / 1_000).toFixed(1);
  }

  say(text: string): void {
    process.stdout.write(`[${this.seconds} s] ${text}\n`);
  }
}
