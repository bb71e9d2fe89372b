import { EmbeddedPostgres } from '../../../apps/cli/src/local/embedded-postgres.js';

/** Starts the server of the folder that the first argument names, and lives until it is killed. */
const [folder = ''] = process.argv.slice(2);
const server = await EmbeddedPostgres.start({ folder, durable: false });
console.log(server.url('postgres'));
setInterval(() => undefined, 60_000);
