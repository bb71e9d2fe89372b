/**
 * A plant of a hundred people who make a thousand tokens along three graphs in virtual time, once with work shared out by
 * load and once by turns. It fails when something is lost or stuck, or the load is not spread a quarter more evenly.
 */
import { loadavg } from 'node:os';
import { Simulation } from '../production/simulation.js';
import { build, scenarioOf } from '../production/simulated-plant.js';
import { verdictOn, type Verdict } from '../production/verdict.js';
import { startTestServer } from '../support/server.js';

const server = await startTestServer();
// eslint-disable-next-line no-restricted-properties -- how the support for tests learns of its server
process.env['BELAY_TEST_SERVER'] = server.adminUrl;

async function simulate(sharedBy: 'load' | 'turns'): Promise<Verdict> {
  const scenario = scenarioOf(2026, 1);
  const plant = await build(scenario, sharedBy);
  try {
    const began = performance.now();
    const verdict = await verdictOn(plant, scenario, await new Simulation(plant, scenario).run());
    const { tokens, done, minutes, sigma, promises, medianErrorUntilLetIn, medianErrorUntilBegun, faults } = verdict;
    const seconds = (performance.now() - began) / 1_000;
    console.log(
      [
        `shared by ${sharedBy}: ${tokens} tokens, ${plant.operators.length} people, ${done.length} pieces of work`,
        `${minutes.toFixed(0)} minutes of the plant in ${seconds.toFixed(0)} s; spread of the load ${sigma.toFixed(3)}`,
        `${promises} waits foretold; half of them wrong by at most ${share(medianErrorUntilLetIn)} until they were let in,`,
        `${share(medianErrorUntilBegun)} until their work began; faults: ${faults.length}`,
      ].join('\n  '),
    );
    for (const fault of faults.slice(0, 20)) console.error(`  ${fault}`);
    return verdict;
  } finally {
    await plant.shop.close();
  }
}

function share(error: number | null): string {
  return error === null ? 'nothing' : `${(error * 100).toFixed(0)} %`;
}

console.log(`load ${loadavg()[0]?.toFixed(1) ?? '?'}`);
const load = await simulate('load');
const turns = await simulate('turns');
await server.stop();
console.log(`spread by load: ${((load.sigma / turns.sigma - 1) * 100).toFixed(0)} % against turns`);
process.exitCode = load.faults.length + turns.faults.length === 0 && load.sigma <= 0.75 * turns.sigma ? 0 : 1;
