import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a file of a domain may be; one that fits none of them belongs to the platform or into another file. */
const domainKinds = [
  'command',
  'contract',
  'controller',
  'entity',
  'events',
  'jobs.module',
  'manifest',
  'module',
  'permissions',
  'problems',
  'processor',
  'queries',
  'reader',
  'rules',
  // What specs of rules begin with; nothing else may import it.
  'samples',
  'service',
  'store',
];

/** Elsewhere a file may also be named after the one thing it holds (`gate.ts`), or after that and its kind. */
const otherKinds = [
  'action',
  'bench',
  'check',
  'command',
  'contract',
  'controller',
  'decorator',
  'decorators',
  'domain',
  'feed',
  'filter',
  'format',
  'guard',
  'jobs',
  'manifest',
  'metrics',
  'module',
  'pipe',
  'problems',
  'property',
  'queries',
  'rules',
  'schemas',
  'service',
  'sql',
];

/** Names that say nothing of what is inside. */
const empty =
  /(^|[-./])(utils?|helpers?|common|shared|constants|interfaces?|dtos?|enums?|misc|types|base|managers?)([-./]|$)/;
const kebab = '[a-z0-9]+(?:-[a-z0-9]+)*';
const domainFile = new RegExp(
  `^(?:${kebab}/){0,3}${kebab}\\.(?:${domainKinds.join('|').replaceAll('.', '\\.')})(?:\\.spec)?\\.ts$`,
);
const otherFile = new RegExp(`^(?:${kebab}/)*${kebab}(?:\\.(?:${otherKinds.join('|')}))?(?:\\.spec)?\\.ts$`);
/** Plans and runbooks name actions with a dot. */
const actionFile = /^libs\/rollback\/src\/[a-z]+\/[a-z]+\.[a-z]+\.action\.ts$/;

/** Also the CLI may, which starts the processes that read it, and tests. */
const environment =
  /\bprocess\s*\.\s*env\b|\bprocess\s*\[\s*['"]env|\benv\b[^{}]*\}\s*(=\s*process\b|from\s*['"](node:)?process['"])/;

interface Source {
  readonly path: string;
  readonly text: string;
}

interface Rule {
  readonly name: string;
  readonly broken: (source: Source) => boolean;
}

/** Rollback is an engine: its files are named like the platform's. */
const inDomain = /^libs\/(?!platform\/|domains\/|rollback\/)[^/]+\/src\/(.*)$/;

const rules: readonly Rule[] = [
  {
    name: 'a file is named by what it holds',
    broken: ({ path }) => {
      const own = inDomain.exec(path)?.[1];
      if (empty.test(path)) return true;
      if (own !== undefined) return own !== 'index.ts' && !domainFile.test(own);
      return !otherFile.test(path) && !actionFile.test(path);
    },
  },
  {
    name: 'a library has one face',
    broken: ({ path }) => path.endsWith('/index.ts') && !/^(libs\/[^/]+\/src|migrations)\/index\.ts$/.test(path),
  },
  {
    name: 'a face says what it shows',
    broken: ({ text }) => /^\s*export\s+(?:type\s+)?\*/m.test(text),
  },
  {
    name: 'only readConfig reads the environment',
    broken: ({ path, text }) =>
      environment.test(text) && !/^(libs\/platform\/src\/config\/|apps\/cli\/|test\/)/.test(path),
  },
  {
    name: 'a warning is silenced with a reason',
    broken: ({ text }) => {
      const lines = text.split('\n');
      return lines.some(
        (line, index) =>
          /(\/\/|\/\*)\s*(eslint-disable|@ts-(ignore|expect-error|nocheck))/.test(line) &&
          !line.includes(' -- ') &&
          !/^\s*(\/\/|\*)\s*\w/.test(lines[index - 1] ?? ''),
      );
    },
  },
];

/** `rule: path` of everything that is not as it should be, in the folders of a tree. */
export function checkFiles(root: string): { readonly files: number; readonly violations: readonly string[] } {
  const paths = ['apps', 'libs', 'migrations', 'test'].flatMap((folder) => sourcesIn(root, folder));
  const violations = paths.flatMap((path) => {
    const source = { path, text: readFileSync(join(root, path), 'utf8') };
    return rules.filter(({ broken }) => broken(source)).map(({ name }) => `${name}: ${path}`);
  });
  return { files: paths.length, violations };
}

function sourcesIn(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sourcesIn(root, path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}
