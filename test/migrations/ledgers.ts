import { createHash } from 'node:crypto';
import type { ChangeClass, Ledger, Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';

interface Written {
  readonly up: (q: QueryRunner) => Promise<unknown>;
  readonly down?: (q: QueryRunner) => Promise<unknown>;
  readonly class?: ChangeClass;
  readonly transaction?: false;
  readonly needs?: readonly string[];
  readonly feature?: string;
}

/** A migration class of that name, as a file would declare it. */
export function migration(name: string, written: Written): new () => Migration {
  const { up, down = () => Promise.resolve(), class: declared, feature, transaction, needs = [] } = written;
  const classes = {
    [name]: class implements Migration {
      readonly transaction = transaction ?? true;
      readonly needs = needs;

      constructor() {
        if (declared !== undefined) Object.assign(this, { class: declared });
        if (feature !== undefined) Object.assign(this, { feature });
      }

      async up(q: QueryRunner): Promise<void> {
        await up(q);
      }

      async down(q: QueryRunner): Promise<void> {
        await down(q);
      }
    },
  };
  const created = classes[name];
  if (!created) throw new Error(`no class ${name}`);
  return created;
}

/** The ledger of a domain in the application database, with checksums that change when the name or `edition` does. */
export function ledgerOf(domain: string, migrations: Ledger['migrations'], edition = ''): Ledger {
  const checksums = Object.fromEntries(
    migrations.map((one) => [
      `${domain}/${fileNameOf(one.name)}`,
      createHash('sha256').update(`${one.name}${edition}`).digest('hex'),
    ]),
  );
  return { domain, database: 'application', migrations, checksums };
}

/** The name of the file that declares the class. */
export function fileNameOf(className: string): string {
  const words = className.slice(0, -13).replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '-');
  return `${className.slice(-13)}-${words.toLowerCase()}`;
}
