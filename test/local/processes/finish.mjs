import { finish, forwardSignals } from '../../../apps/cli/bin/processes.mjs';

/** Runs the code that the first argument is, as setup.mjs runs a command. */
forwardSignals();
process.exitCode = await finish([process.execPath, '-e', process.argv[2]], {});
