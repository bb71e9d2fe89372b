import { Command } from 'commander';
import { createFlags } from './local/create-flags.js';
import { UnleashAdmin } from './local/unleash-admin.js';

/** `belay flags create`: what `belay unleash` does for its own server, for one that runs elsewhere. */
export function flagsCommand(): Command {
  const flags = new Command('flags').description('shows, explains and keeps what is switched on, and why');
  flags
    .command('create')
    .description('makes every flag of the release in an Unleash server; flags that are there stay as they are')
    .requiredOption('--url <url>', 'of the server, e.g. http://unleash:4242')
    .requiredOption('--token <token>', 'that may administrate it')
    .option('--environment <name>', 'in which flags that are on by default are switched on', 'development')
    .action(async ({ url, token, environment }: { url: string; token: string; environment: string }) => {
      const created = await createFlags(new UnleashAdmin(url, token, 'default', environment));
      process.stdout.write(`${created} flags created, those that were there left as they are.\n`);
    });
  return flags;
}
