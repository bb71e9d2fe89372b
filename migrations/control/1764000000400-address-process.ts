import type { MigrationInterface, QueryRunner } from 'typeorm';
import { park, unpark } from '../support/park.js';

/** Where a process can be asked how it sees things, and of which migrations a fingerprint is. */
export class AddressProcess1764000000400 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    if (await unpark(q, { column: 'control.process.url' })) {
      await unpark(q, { column: 'control.schema_fingerprint.ledger_sha256' });
      return;
    }
    await q.query(`ALTER TABLE control.process ADD COLUMN url text`);
    await q.query(`ALTER TABLE control.schema_fingerprint ADD COLUMN ledger_sha256 text`);
  }

  async down(q: QueryRunner): Promise<void> {
    await park(q, { column: 'control.schema_fingerprint.ledger_sha256' });
    await park(q, { column: 'control.process.url' });
  }
}
