import { writeFile } from 'node:fs/promises';
import { domains } from '@belay/domains';
import { Command } from 'commander';
import { describeApi } from '../../api/src/compose.js';

/** `belay openapi`: what the console's client is generated from; every domain is on. */
export function openApiCommand(): Command {
  return new Command('openapi')
    .description('writes openapi.json, the description of the whole API')
    .option('--out <file>', 'where to', 'openapi.json')
    .action(async ({ out }: { out: string }) => {
      await writeFile(out, `${JSON.stringify(await describeApi(domains), null, 2)}\n`);
    });
}
