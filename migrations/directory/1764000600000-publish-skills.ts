import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { park, unpark } from '../support/park.js';

const view = 'directory.public_operator_skill';

/** The SQL contract with other domains: who can do what, and on which days that counts. */
export class PublishSkills1764000600000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unpark(q, { view })) return;
    await q.query(`
      CREATE VIEW ${view} AS
      SELECT account_id AS operator_id, skill_code, level, certified_at, expires_at FROM directory.operator_skill`);
  }

  async down(q: QueryRunner): Promise<void> {
    await park(q, { view });
  }
}
