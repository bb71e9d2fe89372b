const megabyte = 1_048_576;

/** How much more of the machine's memory a server holds than before, at most. */
export class Memory {
  #most: number;
  readonly #timer: NodeJS.Timeout;

  private constructor(
    private readonly url: string,
    private readonly began: number,
  ) {
    this.#most = began;
    this.#timer = setInterval(() => void this.look(), 200);
  }

  static async watch(url: string): Promise<Memory> {
    return new Memory(url, await residentBytes(url));
  }

  /** In megabytes. */
  async growth(): Promise<number> {
    clearInterval(this.#timer);
    await this.look();
    return (this.#most - this.began) / megabyte;
  }

  private async look(): Promise<void> {
    this.#most = Math.max(this.#most, await residentBytes(this.url));
  }
}

async function residentBytes(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_resident_memory_bytes\S* (\S+)$/m.exec(text)?.[1]);
}
