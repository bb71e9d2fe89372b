/**
 * Lets Node run the TypeScript sources as they stand, for processes that tests and benchmarks start:
 *
 *     node --import ./test/support/ts-loader.mjs test/gate/processes/api.ts
 *
 * Imports of `./x.js` find `./x.ts`, `@belay/<domain>` finds the domain's index, and decorators emit the metadata that
 * dependency injection reads, as in the build.
 */
import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformSync } from '@swc/core';
import { swcOptions } from './swc.mjs';

const root = new URL('../../', import.meta.url);

registerHooks({
  resolve(specifier, context, next) {
    const alias = /^@belay\/([a-z]+)$/.exec(specifier);
    if (alias) return { url: new URL(`libs/${alias[1]}/src/index.ts`, root).href, shortCircuit: true };
    const fromSource = context.parentURL?.endsWith('.ts') ?? false;
    if (fromSource && /^\.{1,2}\/.*\.js$/.test(specifier)) {
      const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
      if (existsSync(source)) return { url: source.href, shortCircuit: true };
    }
    return next(specifier, context);
  },
  load(url, context, next) {
    if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
    const filename = fileURLToPath(url);
    const { code } = transformSync(readFileSync(filename, 'utf8'), {
      filename,
      swcrc: false,
      ...swcOptions,
      sourceFileName: pathToFileURL(filename).href,
    });
    return { format: 'module', source: code, shortCircuit: true };
  },
});
