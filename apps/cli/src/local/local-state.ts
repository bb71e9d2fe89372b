import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';

const unleashAddress = z.object({ url: z.url(), token: z.string().min(1) });
const unleashSecrets = z.object({ adminPassword: z.string(), adminToken: z.string(), clientToken: z.string() });

/** For UNLEASH_URL and UNLEASH_TOKEN. */
export type UnleashAddress = z.infer<typeof unleashAddress>;
export type UnleashSecrets = z.infer<typeof unleashSecrets>;

/** What `npm start` and `npm run unleash` keep on this machine: one folder of the checkout, ignored by git. */
export class LocalState {
  readonly folder: string;

  constructor(folder = '.belay') {
    this.folder = resolve(folder);
    mkdirSync(this.folder, { recursive: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Made once: what it seals is of no use without it. */
  secretKey(): string {
    return this.keep('secret', () => randomBytes(32).toString('base64'));
  }

  /** Made once: what it signed is believed as long as it is known. */
  signingKey(): string {
    return this.keep('signing-key', () => randomBytes(32).toString('base64'));
  }

  unleashSecrets(): UnleashSecrets {
    const make = () => {
      const secret = randomBytes(16).toString('hex');
      const adminPassword = randomBytes(9).toString('base64url');
      return JSON.stringify({
        adminPassword,
        adminToken: `*:*.${secret}`,
        clientToken: `default:development.${secret}`,
      });
    };
    return unleashSecrets.parse(JSON.parse(this.keep('unleash-secrets.json', make)));
  }

  /** Where `npm run unleash` answers; undefined when it does not run, or was killed before it could say so. */
  get unleash(): UnleashAddress | undefined {
    const file = this.path('unleash.json');
    if (!existsSync(file)) return undefined;
    return unleashAddress.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  }

  set unleash(address: UnleashAddress | undefined) {
    if (address === undefined) rmSync(this.path('unleash.json'), { force: true });
    else this.write('unleash.json', JSON.stringify(address));
  }

  /** The content of the file, which is written when it is missing. */
  keep(name: string, make: () => string): string {
    if (!existsSync(this.path(name))) this.write(name, make());
    return readFileSync(this.path(name), 'utf8');
  }

  /** Whole or not at all, and for nobody else to read. */
  private write(name: string, content: string): void {
    const draft = this.path(`${name}.new`);
    writeFileSync(draft, content, { mode: 0o600 });
    renameSync(draft, this.path(name));
  }
}
