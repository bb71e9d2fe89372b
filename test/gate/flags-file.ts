import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultFlagsDocument, parseFlags, type Domain, type FlagsDocument } from '@belay/platform';

type Change = Readonly<Record<string, unknown>>;

/** A flags file in a folder of its own; every change replaces it by rename, as programs do. */
export class FlagsFile {
  readonly folder = mkdtempSync(join(tmpdir(), 'belay-test-flags-'));
  readonly path = join(this.folder, 'flags.json');
  #flags: FlagsDocument;

  constructor(domains: readonly Domain[], on: readonly string[] = []) {
    this.#flags = defaultFlagsDocument(domains);
    for (const flag of on) this.set(flag, { enabled: true });
    this.save();
  }

  set(flag: string, change: Change): void {
    const features = this.#flags.features.map((one) => (one.name === flag ? { ...one, ...change } : one));
    if (!features.some(({ name }) => name === flag)) throw new Error(`There is no flag ${flag}`);
    this.#flags = parseFlags({ ...this.#flags, features });
    this.save();
  }

  on(flag: string): void {
    this.set(flag, { enabled: true });
  }

  off(flag: string): void {
    this.set(flag, { enabled: false });
  }

  /** On for everybody, in this mode. */
  mode(flag: string, variant: string): void {
    this.set(flag, { enabled: true, variants: [{ name: variant, weight: 1_000 }] });
  }

  /** On for these percent of the users and for admins, as a rollout does it. */
  percent(flag: string, rollout: number): void {
    const strategy = (share: number, constraints: object[]) => ({
      name: 'flexibleRollout',
      parameters: { rollout: String(share), stickiness: 'userId', groupId: flag },
      constraints,
    });
    const admins = { contextName: 'role', operator: 'IN', values: ['admin'], inverted: false };
    this.set(flag, { enabled: true, strategies: [strategy(100, [admins]), strategy(rollout, [])], variants: [] });
  }

  forget(flag: string): void {
    this.#flags = { ...this.#flags, features: this.#flags.features.filter(({ name }) => name !== flag) };
    this.save();
  }

  write(text: string): void {
    const draft = `${this.path}.draft`;
    writeFileSync(draft, text);
    renameSync(draft, this.path);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  private save(): void {
    this.write(JSON.stringify(this.#flags));
  }
}
