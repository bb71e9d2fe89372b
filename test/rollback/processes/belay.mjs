/** The built command line, loaded up to where it reads what was typed: it is told that by a message, `{ args, env }`. */
import { pathToFileURL } from 'node:url';

const program = pathToFileURL(process.argv[2]);
const typed = new Promise((resolve) => {
  process.once('message', resolve);
});
const abandon = () => process.exit(0);
process.once('disconnect', abandon);
await import(new URL('../../../libs/domains/src/index.js', program).href);

const { args, env } = await typed;
process.off('disconnect', abandon);
process.disconnect();
Object.assign(process.env, env);
process.argv.splice(2, 1, ...args);
await import(program.href);
