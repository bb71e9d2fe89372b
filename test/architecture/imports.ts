import { join } from 'node:path';
import type { Domain } from '@belay/platform';
import { cruise, type IForbiddenRuleType } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import { z } from 'zod';

type Neighbours = Pick<Domain, 'name' | 'after' | 'asks'>;

const severity = 'error';
const erased = { dependencyTypesNot: ['type-only' as const] };

/** Who may import whom, from what the manifests say. */
export function importRules(domains: readonly Neighbours[]): IForbiddenRuleType[] {
  return [
    ...domains.map(neighbours),
    {
      name: 'a folder that no manifest names imports platform only',
      severity,
      from: { path: `^libs/(?!(?:platform|domains|${domains.map(({ name }) => name).join('|')})/)([^/]+)/` },
      to: { path: '^libs/', pathNot: ['^libs/$1/', '^libs/platform/'] },
    },
    {
      name: 'a domain is imported by its face only',
      severity,
      from: { path: '^(libs/[^/]+|apps|migrations)/' },
      to: { path: '^libs/[^/]+/src/', pathNot: ['^$1/', '^libs/[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'a domain imports itself by relative paths',
      severity,
      from: { path: '^libs/([^/]+)/' },
      to: { path: '^libs/$1/src/index\\.ts$', dependencyTypes: ['aliased-tsconfig-paths'] },
    },
    {
      name: 'a face shows manifest, reader, event types and answers',
      severity,
      from: { path: '^libs/(?!platform/|domains/)[^/]+/src/index\\.ts$' },
      to: { pathNot: '\\.(manifest|reader|events|contract)\\.ts$', ...erased },
    },
    {
      name: 'platform imports nothing of ours',
      severity,
      from: { path: '^libs/platform/' },
      to: { path: '^(libs|apps|migrations|test)/', pathNot: '^libs/platform/' },
    },
    {
      name: 'apps import platform and domains only',
      severity,
      from: { path: '^apps/' },
      to: { path: '^libs/', pathNot: '^libs/(platform|domains)/' },
    },
    {
      // The way back must work while nothing else runs, so that the terminal hosts what the worker does otherwise.
      name: 'apps do not import each other, but the CLI describes the API and hosts what the worker runs beside its jobs',
      severity,
      from: { path: '^apps/([^/]+)/' },
      to: {
        path: '^apps/',
        pathNot: ['^apps/$1/', '^apps/api/src/(compose|stages)\\.ts$', '^apps/worker/src/compose\\.ts$'],
      },
    },
    {
      name: 'only the CLI hosts what the worker runs',
      severity,
      from: { path: '^apps/(?!worker/|cli/)' },
      to: { path: '^apps/worker/' },
    },
    {
      // A backup is proven by what an API answers on its copy, and it is the worker that proves it.
      name: 'only the CLI describes the API, and the worker boots it on copies',
      severity,
      from: { path: '^apps/(?!api/|cli/)' },
      to: { path: '^apps/api/', pathNot: '^apps/api/src/stages\\.ts$' },
    },
    {
      name: 'nothing below an app imports one',
      severity,
      from: { path: '^(libs|migrations)/' },
      to: { path: '^apps/' },
    },
    {
      name: 'migrations are known by their list, to apps only',
      severity,
      from: { path: '^(libs|apps)/' },
      to: { path: '^migrations/', pathNot: '^migrations/index\\.ts$' },
    },
    {
      name: 'libs know no migration',
      severity,
      from: { path: '^libs/' },
      to: { path: '^migrations/' },
    },
    {
      name: 'migrations import platform only',
      severity,
      from: { path: '^migrations/' },
      to: { path: '^libs/', pathNot: '^libs/platform/' },
    },
    {
      name: 'nothing needs tests',
      severity,
      from: { path: '^(libs|apps|migrations)/' },
      to: { path: '^test/' },
    },
    {
      name: 'samples are for specs',
      severity,
      from: { pathNot: '\\.(spec|samples)\\.ts$' },
      to: { path: '\\.samples\\.ts$' },
    },
    {
      name: 'rules decide without a framework or a database',
      severity,
      from: { path: '^libs/(?!platform/).*\\.rules\\.ts$' },
      to: {
        path: ['^libs/', 'node_modules/(@nestjs|typeorm|pg|bullmq|fastify)/'],
        pathNot: '\\.(rules|problems)\\.ts$',
        ...erased,
      },
    },
    {
      name: 'versions do not import each other',
      severity,
      from: { path: '^libs/.+/v(\\d+)/' },
      to: { path: '^libs/.+/v\\d+/', pathNot: '/v$1/' },
    },
    {
      name: 'what runs in production imports no development package',
      severity,
      from: { path: '^(libs|apps|migrations)/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], ...erased },
    },
    {
      name: 'every import is found and declared',
      severity,
      from: {},
      to: { dependencyTypes: ['unknown', 'undetermined', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no import leads back to where it began',
      severity,
      from: {},
      to: { circular: true, viaOnly: erased },
    },
  ];
}

function neighbours({ name, after, asks = [] }: Neighbours): IForbiddenRuleType {
  const allowed = [name, 'platform', ...after, ...asks];
  return {
    name: `${name} imports ${allowed.slice(1).join(', ')} only`,
    severity,
    from: { path: `^libs/${name}/` },
    to: { path: '^libs/', pathNot: `^libs/(${allowed.join('|')})/` },
  };
}

const cruised = z.object({
  summary: z.object({
    totalCruised: z.number(),
    violations: z.array(z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});

export interface ImportCheck {
  readonly files: number;
  /** `rule: from → to` */
  readonly violations: readonly string[];
}

/** Checks every import of the folders of a tree that has a tsconfig.json. */
export async function checkImports(root: string, rules: IForbiddenRuleType[]): Promise<ImportCheck> {
  const tsConfig = join(root, 'tsconfig.json');
  const resolve = {
    extensions: ['.ts', '.mjs', '.js', '.json'],
    extensionAlias: { '.js': ['.ts', '.js'] },
    exportsFields: ['exports'],
    conditionNames: ['import', 'require', 'node', 'default', 'types'],
  };
  const { output } = await cruise(
    ['apps', 'libs', 'migrations', 'test'],
    {
      baseDir: root,
      validate: true,
      ruleSet: { forbidden: rules },
      doNotFollow: { path: 'node_modules' },
      tsPreCompilationDeps: true,
      tsConfig: { fileName: tsConfig },
      enhancedResolveOptions: resolve,
    },
    resolve,
    { tsConfig: extractTSConfig(tsConfig) },
  );
  const { summary } = cruised.parse(output);
  const violations = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
  return { files: summary.totalCruised, violations };
}
