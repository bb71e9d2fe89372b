import { freemem } from 'node:os';
import { readFile } from 'node:fs/promises';
import { passed, refused, type SafetyCheck } from './check.js';

/** Of two stages that stand beside each other, beyond what their pools take. */
const OTHER_CONNECTIONS = 6;
const LEAST_BYTES = 128 * 1024 * 1024;

/** S26: there is room for a second stage, and for a side database. */
export const capacityCheck: SafetyCheck = {
  id: 'S26',
  title: 'There is room for two stages',
  severity: 'normal',
  phases: ['plan', 'start'],
  applies: () => true,

  async run({ world }) {
    const { rows } = await world.application.query<{ free: number }>(
      `SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
              - (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS free`,
    );
    const measured = { connections: rows[0]?.free ?? 0, memoryBytes: await availableBytes() };
    const threshold = {
      connections: world.runtime.config.DATABASE_POOL + OTHER_CONNECTIONS,
      memoryBytes: LEAST_BYTES,
    };
    if (measured.connections >= threshold.connections && measured.memoryBytes >= threshold.memoryBytes) {
      return passed(measured, threshold);
    }
    return refused(measured, threshold, [
      { kind: 'wait-until', text: 'Wait until fewer connections are open' },
      { kind: 'ask', text: 'Somebody raises max_connections or gives the machine more memory' },
    ]);
  },
};

/** What programs can still have, as Linux reckons it; elsewhere what is free. */
async function availableBytes(): Promise<number> {
  const facts = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(facts)?.[1];
  return kilobytes === undefined ? freemem() : Number(kilobytes) * 1_024;
}
