import { domains } from '@belay/domains';
import { Command } from 'commander';
import { domainHost } from './domain-host.js';
import { sentenceFor } from './failure.js';
import { firstAdminCommand } from './first-admin.command.js';
import { flagsCommand } from './flags.command.js';
import { LocalDatabases } from './local/local-databases.js';
import { migrateCommand } from './migrate.command.js';
import { openApiCommand } from './openapi.command.js';
import { productionCommand } from './production/production.command.js';
import { startCommand } from './start.command.js';
import { unleashCommand } from './unleash.command.js';
import { wmsCommand } from './wms/wms.command.js';

const belay = new Command('belay').description('Runs Belay on this machine and looks after its databases.');
const databases = new LocalDatabases();

for (const command of [
  startCommand(),
  unleashCommand(),
  flagsCommand(),
  databases.serve(migrateCommand(() => databases.place)),
  databases.serve(firstAdminCommand(() => databases.place.targets.databaseUrl)),
  openApiCommand(),
  productionCommand(),
  wmsCommand(),
]) {
  belay.addCommand(command);
}

const host = domainHost();
for (const { commands } of domains) {
  for (const command of (await commands?.(host)) ?? []) {
    const present = belay.commands.find((one) => one.name() === command.name());
    if (present) for (const part of command.commands) present.addCommand(part);
    else belay.addCommand(command);
  }
}

try {
  await belay.parseAsync();
} catch (error) {
  console.error(`\n✗ ${sentenceFor(error)}`);
  process.exitCode = 1;
}
