import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { domains } from '@belay/domains';
import { checkFiles } from './architecture/files.js';
import { checkImports, importRules } from './architecture/imports.js';

const root = fileURLToPath(new URL('../', import.meta.url));

describe('the walls', () => {
  it('are passed by no import', async () => {
    const { files, violations } = await checkImports(root, importRules(domains));
    expect(violations).toEqual([]);
    expect(files).toBeGreaterThan(300);
  });

  it('hold for the name and the text of every file', () => {
    const { files, violations } = checkFiles(root);
    expect(violations).toEqual([]);
    expect(files).toBeGreaterThan(300);
  });

  it('stand around every folder that has a manifest, in an order in which each domain can be built', () => {
    const written = readdirSync(join(root, 'libs')).filter((name) =>
      readdirSync(join(root, 'libs', name, 'src')).includes(`${name}.manifest.ts`),
    );
    expect(domains.map(({ name }) => name).toSorted()).toEqual(written.toSorted());
    const seen = new Set<string>();
    for (const { name, after } of domains) {
      expect(after.filter((other) => !seen.has(other))).toEqual([]);
      seen.add(name);
    }
  });
});

/** A small tree in which everything is as it should be. `sales` comes after `stock` and asks `people`. */
const whole: Readonly<Record<string, string>> = {
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'nodenext',
      baseUrl: '.',
      paths: { '@belay/*': ['./libs/*/src/index.ts'] },
      ignoreDeprecations: '6.0',
    },
  }),
  'package.json': JSON.stringify({
    type: 'module',
    dependencies: { needed: '1.0.0' },
    devDependencies: { tool: '1.0.0' },
  }),
  'node_modules/needed/package.json': JSON.stringify({ name: 'needed', version: '1.0.0', main: 'index.js' }),
  'node_modules/needed/index.js': 'export const needed = 1;',
  'node_modules/tool/package.json': JSON.stringify({ name: 'tool', version: '1.0.0', main: 'index.js' }),
  'node_modules/tool/index.js': 'export const tool = 1;',
  'node_modules/stray/package.json': JSON.stringify({ name: 'stray', version: '1.0.0', main: 'index.js' }),
  'node_modules/stray/index.js': 'export const stray = 1;',
  'libs/platform/src/index.ts': `export { gate } from './domain/gate.js';`,
  'libs/platform/src/domain/gate.ts': `import { needed } from 'needed';\nexport const gate = needed;`,
  'libs/domains/src/index.ts': `import { sales } from '@belay/sales';\nexport const domains = [sales];`,
  'libs/people/src/index.ts': `export { people } from './people.manifest.js';`,
  'libs/people/src/people.manifest.ts': `export const people = 1;`,
  'libs/stock/src/index.ts': `export { StockReader } from './stock.reader.js';\nexport type { Row } from './stock.queries.js';`,
  'libs/stock/src/stock.reader.ts': `import { gate } from '@belay/platform';\nexport class StockReader { gate = gate; }`,
  'libs/stock/src/stock.queries.ts': `export interface Row { id: string }`,
  'libs/sales/src/index.ts': `export { sales } from './sales.manifest.js';`,
  'libs/sales/src/sales.manifest.ts': `import { StockReader } from '@belay/stock';\nexport const sales = StockReader;`,
  'libs/sales/src/sales.service.ts': `import { people } from '@belay/people';\nimport { price } from './sales.rules.js';\nexport const service = [people, price];`,
  'libs/sales/src/sales.rules.ts': `import type { Row } from '@belay/stock';\nexport const price = (row: Row) => row.id;`,
  'libs/sales/src/sales.rules.spec.ts': `import { tool } from 'tool';\nimport { price } from './sales.rules.js';\nimport { row } from './sales.samples.js';\nexport const test = [tool, price, row];`,
  'libs/sales/src/sales.samples.ts': `export const row = { id: 'one' };`,
  'libs/sales/src/orders/v1/order-v1.controller.ts': `export const one = 1;`,
  'libs/sales/src/orders/v2/order-v2.controller.ts': `export const two = 2;`,
  'apps/api/src/compose.ts': `import { gate } from '@belay/platform';\nimport { ledgers } from '../../../migrations/index.js';\nexport const api = [gate, ledgers];`,
  'apps/api/src/main.ts': `import { domains } from '@belay/domains';\nimport { api } from './compose.js';\nexport const main = [domains, api];`,
  'apps/cli/src/openapi.command.ts': `import { api } from '../../api/src/compose.js';\nexport const command = [api, process.env];`,
  'apps/worker/src/main.ts': `export const worker = 1;`,
  'apps/worker/src/compose.ts': `export const worker = 2;`,
  'migrations/index.ts': `import { Create } from './sales/1764000000000-create-sales.js';\nexport const ledgers = [Create];`,
  'migrations/sales/1764000000000-create-sales.ts': `import type { gate } from '@belay/platform';\nexport class Create { gate?: typeof gate; }`,
  'test/sales.spec.ts': `import { service } from '../libs/sales/src/sales.service.js';\nexport const test = service;`,
};

const manifests = [
  { name: 'people', after: [] },
  { name: 'stock', after: [] },
  { name: 'sales', after: ['stock'], asks: ['people'] },
];

// Apart from the slashes, so that this file is no example itself.
const [silenced, expected] = ['eslint-disable-next-line', '@ts-expect-error'];

describe('a tree that breaks a rule is found out:', () => {
  let tree: string;
  const write = (files: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
  };
  const violations = async () => [
    ...(await checkImports(tree, importRules(manifests))).violations,
    ...checkFiles(tree).violations,
  ];

  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), 'belay-test-walls-'));
    write(whole);
  });
  afterEach(() => {
    rmSync(tree, { recursive: true });
  });

  it('not the whole one', async () => {
    expect(await violations()).toEqual([]);
  });

  it.each([
    [
      'libs/sales/src/sales.events.ts',
      `import { StockReader } from '../../stock/src/stock.reader.js';\nexport const deep = StockReader;`,
      'a domain is imported by its face only: libs/sales/src/sales.events.ts → libs/stock/src/stock.reader.ts',
    ],
    [
      'apps/api/src/api.ts',
      `import { gate } from '../../../libs/platform/src/domain/gate.js';\nexport const deep = gate;`,
      'a domain is imported by its face only: apps/api/src/api.ts → libs/platform/src/domain/gate.ts',
    ],
    [
      'libs/stock/src/stock.service.ts',
      `import { people } from '@belay/people';\nexport const stranger = people;`,
      'stock imports platform only: libs/stock/src/stock.service.ts → libs/people/src/index.ts',
    ],
    [
      'libs/stock/src/stock.service.ts',
      `import type { people } from '@belay/people';\nexport type Stranger = typeof people;`,
      'stock imports platform only: libs/stock/src/stock.service.ts → libs/people/src/index.ts',
    ],
    [
      'libs/wild/src/wild.service.ts',
      `import { people } from '@belay/people';\nexport const unlisted = people;`,
      'a folder that no manifest names imports platform only: libs/wild/src/wild.service.ts → libs/people/src/index.ts',
    ],
    [
      'libs/sales/src/sales.module.ts',
      `import { sales } from '@belay/sales';\nexport const own = sales;`,
      'a domain imports itself by relative paths: libs/sales/src/sales.module.ts → libs/sales/src/index.ts',
    ],
    [
      'libs/sales/src/index.ts',
      `export { service } from './sales.service.js';`,
      'a face shows manifest, reader, event types and answers: libs/sales/src/index.ts → libs/sales/src/sales.service.ts',
    ],
    [
      'libs/platform/src/domain/domain.ts',
      `import { people } from '@belay/people';\nexport const known = people;`,
      'platform imports nothing of ours: libs/platform/src/domain/domain.ts → libs/people/src/index.ts',
    ],
    [
      'apps/worker/src/worker.ts',
      `import { people } from '@belay/people';\nexport const known = people;`,
      'apps import platform and domains only: apps/worker/src/worker.ts → libs/people/src/index.ts',
    ],
    [
      'apps/cli/src/start.command.ts',
      `import { worker } from '../../worker/src/main.js';\nexport const other = worker;`,
      'apps do not import each other, but the CLI describes the API and hosts what the worker runs beside its jobs: apps/cli/src/start.command.ts → apps/worker/src/main.ts',
    ],
    [
      'apps/api/src/entrance.ts',
      `import { worker } from '../../worker/src/compose.js';\nexport const other = worker;`,
      'only the CLI hosts what the worker runs: apps/api/src/entrance.ts → apps/worker/src/compose.ts',
    ],
    [
      'apps/worker/src/compose.ts',
      `import { api } from '../../api/src/compose.js';\nexport const other = api;`,
      'only the CLI describes the API, and the worker boots it on copies: apps/worker/src/compose.ts → apps/api/src/compose.ts',
    ],
    [
      'libs/stock/src/stock.module.ts',
      `import { worker } from '../../../apps/worker/src/main.js';\nexport const above = worker;`,
      'nothing below an app imports one: libs/stock/src/stock.module.ts → apps/worker/src/main.ts',
    ],
    [
      'apps/api/src/api.ts',
      `import { Create } from '../../../migrations/sales/1764000000000-create-sales.js';\nexport const one = Create;`,
      'migrations are known by their list, to apps only: apps/api/src/api.ts → migrations/sales/1764000000000-create-sales.ts',
    ],
    [
      'libs/sales/src/sales.jobs.module.ts',
      `import { ledgers } from '../../../migrations/index.js';\nexport const all = ledgers;`,
      'libs know no migration: libs/sales/src/sales.jobs.module.ts → migrations/index.ts',
    ],
    [
      'migrations/sales/1764000100000-fill-sales.ts',
      `import { sales } from '@belay/sales';\nexport const code = sales;`,
      'migrations import platform only: migrations/sales/1764000100000-fill-sales.ts → libs/sales/src/index.ts',
    ],
    [
      'apps/api/src/api.ts',
      `import { made } from '../../../test/made.js';\nexport const forTests = made;`,
      'nothing needs tests: apps/api/src/api.ts → test/made.ts',
    ],
    [
      'libs/sales/src/price.rules.ts',
      `import { service } from './sales.service.js';\nexport const impure = service;`,
      'rules decide without a framework or a database: libs/sales/src/price.rules.ts → libs/sales/src/sales.service.ts',
    ],
    [
      'libs/sales/src/price.service.ts',
      `import { row } from './sales.samples.js';\nexport const price = row;`,
      'samples are for specs: libs/sales/src/price.service.ts → libs/sales/src/sales.samples.ts',
    ],
    [
      'libs/sales/src/orders/v1/order-v1.service.ts',
      `import { two } from '../v2/order-v2.controller.js';\nexport const both = two;`,
      'versions do not import each other: libs/sales/src/orders/v1/order-v1.service.ts → libs/sales/src/orders/v2/order-v2.controller.ts',
    ],
    [
      'apps/api/src/api.ts',
      `import { tool } from 'tool';\nexport const forDevelopers = tool;`,
      'what runs in production imports no development package: apps/api/src/api.ts → node_modules/tool/index.js',
    ],
    [
      'apps/api/src/api.ts',
      `import { stray } from 'stray';\nexport const undeclared = stray;`,
      'every import is found and declared: apps/api/src/api.ts → node_modules/stray/index.js',
    ],
    [
      'apps/api/src/api.ts',
      `import { gone } from './gone.js';\nexport const lost = gone;`,
      'every import is found and declared: apps/api/src/api.ts → ./gone.js',
    ],
    ['libs/stock/src/stock-utils.ts', '', 'a file is named by what it holds: libs/stock/src/stock-utils.ts'],
    ['libs/stock/src/stock.ts', '', 'a file is named by what it holds: libs/stock/src/stock.ts'],
    ['libs/stock/src/stock.dto.ts', '', 'a file is named by what it holds: libs/stock/src/stock.dto.ts'],
    [
      'libs/stock/src/stockCount.service.ts',
      '',
      'a file is named by what it holds: libs/stock/src/stockCount.service.ts',
    ],
    ['libs/platform/src/shared/gate.ts', '', 'a file is named by what it holds: libs/platform/src/shared/gate.ts'],
    [
      'libs/platform/src/domain/gate.helper.ts',
      '',
      'a file is named by what it holds: libs/platform/src/domain/gate.helper.ts',
    ],
    ['apps/api/src/Api.ts', '', 'a file is named by what it holds: apps/api/src/Api.ts'],
    ['libs/platform/src/domain/index.ts', '', 'a library has one face: libs/platform/src/domain/index.ts'],
    [
      'libs/people/src/index.ts',
      `export * from './people.manifest.js';`,
      'a face says what it shows: libs/people/src/index.ts',
    ],
    [
      'libs/people/src/index.ts',
      `export type * as people from './people.manifest.js';`,
      'a face says what it shows: libs/people/src/index.ts',
    ],
    ...[
      `export const port = process.env.PORT;`,
      `export const port = process['env']['PORT'];`,
      `const { env } = process;\nexport const port = env['PORT'];`,
      `import { env } from 'node:process';\nexport const port = env['PORT'];`,
    ].map((text) => ['apps/api/src/api.ts', text, 'only readConfig reads the environment: apps/api/src/api.ts']),
    [
      'apps/api/src/api.ts',
      `export const api = 1;\n// ${silenced} no-console\nconsole.log(api);`,
      'a warning is silenced with a reason: apps/api/src/api.ts',
    ],
    [
      'apps/api/src/api.ts',
      `export const api = 1;\n// ${expected}\napi.x = 2;`,
      'a warning is silenced with a reason: apps/api/src/api.ts',
    ],
  ])('%s with %j', async (path, text, violation) => {
    write({ 'test/made.ts': 'export const made = 1;', [path]: text });
    expect(await violations()).toEqual([violation]);
  });

  it('by an import that leads back to where it began', async () => {
    write({
      'libs/people/src/one.service.ts': `import { two } from './two.service.js';\nexport const one = () => two;`,
      'libs/people/src/two.service.ts': `import { one } from './one.service.js';\nexport const two = () => one;`,
    });
    const rule = 'no import leads back to where it began';
    const [one, two] = ['libs/people/src/one.service.ts', 'libs/people/src/two.service.ts'];
    expect(await violations()).toEqual([`${rule}: ${one} → ${two}`]);
  });

  it('not by one that is erased', async () => {
    write({
      'libs/people/src/one.service.ts': `import type { two } from './two.service.js';\nexport type One = typeof two;`,
      'libs/people/src/two.service.ts': `import type { One } from './one.service.js';\nexport const two = (one: One) => one;`,
    });
    expect(await violations()).toEqual([]);
  });
});
