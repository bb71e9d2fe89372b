/** Short lines of what is being done, each with the seconds since the command began. */
export class Progress {
  readonly #began: number;

  constructor() {
    // eslint-disable-next-line no-restricted-properties -- when setup.mjs began, which is when the user began to wait
    this.#began = Number(process.env['BELAY_BEGAN'] ?? Date.now());
  }

  get seconds(): string {
    return ((Date.now() - this.#began) / 1_000).toFixed(1);
  }

  say(text: string): void {
    process.stdout.write(`[${this.seconds} s] ${text}\n`);
  }
}
