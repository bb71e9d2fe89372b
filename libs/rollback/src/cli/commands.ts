import type { CommandHost } from '@belay/platform';
import type { Command } from 'commander';
import { auditCommands } from './audit.command.js';
import { backupCommand } from './backup.command.js';
import { controlCommand } from './control.command.js';
import { doctorCommand } from './doctor.command.js';
import { drillCommands } from './drill.command.js';
import { emergencyCommands } from './emergency.command.js';
import { rollbackFlagsCommand } from './flags.command.js';
import { jobsCommand } from './jobs.command.js';
import { markerCommand } from './marker.command.js';
import { parkedCommands } from './parked.command.js';
import { planCommands } from './plan.command.js';
import { restoreCommand } from './restore.command.js';
import { runCommands } from './run.command.js';
import { Shell } from './shell.js';
import { switchCommands } from './switch.command.js';

/** Everything that can be done to the application, and taken back, from a terminal. */
export function commandsFor(host: CommandHost): readonly Command[] {
  const shell = new Shell(host);
  return [
    ...switchCommands(shell),
    ...planCommands(shell),
    ...runCommands(shell),
    ...emergencyCommands(shell),
    rollbackFlagsCommand(shell),
    jobsCommand(shell),
    backupCommand(shell),
    restoreCommand(shell),
    markerCommand(shell),
    ...parkedCommands(shell),
    ...drillCommands(shell),
    ...auditCommands(shell),
    doctorCommand(shell),
    controlCommand(shell),
  ];
}
