const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C, or what asks for the same. */
export class StopSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #stop = () => {
    this.#controller.abort();
  };

  constructor() {
    for (const signal of signals) process.on(signal, this.#stop);
    // setup.mjs holds the other end where there is one; when it was killed we end like it was told to.
    process.on('disconnect', this.#stop);
  }

  get given(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Settles when the signal is given. */
  get wait(): Promise<void> {
    return new Promise((resolve) => {
      if (this.given) resolve();
      this.#controller.signal.addEventListener('abort', () => {
        resolve();
      });
    });
  }

  [Symbol.dispose](): void {
    for (const signal of signals) process.off(signal, this.#stop);
    process.off('disconnect', this.#stop);
  }
}
