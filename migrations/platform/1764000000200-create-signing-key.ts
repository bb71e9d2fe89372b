import type { MigrationInterface, QueryRunner } from 'typeorm';
import { park, unpark } from '../support/park.js';

/** The keys that sign access tokens; the private halves are sealed with SECRET_KEY. */
export class CreateSigningKey1764000000200 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    if (await unpark(q, { table: 'platform.signing_key' })) return;
    await q.query(`
      CREATE TABLE platform.signing_key (
        kid             text PRIMARY KEY,
        public_jwk      jsonb NOT NULL,
        sealed_private  bytea NOT NULL,
        created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
        retires_at      timestamptz NOT NULL
      )`);
  }

  async down(q: QueryRunner): Promise<void> {
    await park(q, { table: 'platform.signing_key' });
  }
}
