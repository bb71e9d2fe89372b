/** How long it takes to verify an audit trail of a million entries: every hash, in order, and its head. */
import { loadavg } from 'node:os';
import { AuditTrail } from '@belay/platform';
import { rollback } from '@belay/rollback';
import pg from 'pg';
import { fillTrail } from '../audit/trail.js';
import { BenchServer } from './bench-server.js';

const entries = 1_000_000;
const goalSeconds = 30;

const server = await BenchServer.open(rollback, { durable: true });
const control = new pg.Pool({ connectionString: server.environment['CONTROL_DATABASE_URL'], max: 2 });
try {
  await fillTrail(control, entries);
  await control.query('ANALYZE control.audit_entry');
  console.log(`${entries} entries, load ${loadavg()[0]?.toFixed(1)}`);

  const trail = new AuditTrail(control);
  const floor = await seconds(async () => {
    for await (const batch of trail.entries()) if (batch.head === undefined) throw new Error('The trail has no head');
  });
  const verified = await seconds(async () => {
    const { broken, entries: seen } = await trail.verify();
    if (broken !== undefined || seen !== entries) throw new Error(`${seen} entries, then ${JSON.stringify(broken)}`);
  });
  console.log(`  floor: read in order   ${floor.toFixed(1).padStart(6)} s`);
  console.log(
    `  verified               ${verified.toFixed(1).padStart(6)} s  ratio ${(verified / floor).toFixed(1)}  goal ≤ ${goalSeconds} s`,
  );
  if (verified > goalSeconds) process.exitCode = 1;
} finally {
  await control.end();
  await server.close();
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}
