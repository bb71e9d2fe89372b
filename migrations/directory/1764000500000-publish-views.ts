import type { QueryRunner } from 'typeorm';
import type { Migration } from '@belay/platform';
import { park, unpark } from '../support/park.js';

const views = ['public_site', 'public_shift', 'public_team', 'public_team_member'];

/** The SQL contract with other domains: places, teams and who is in them by id, nothing personal. */
export class PublishViews1764000500000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    let found = false;
    for (const view of views) found = (await unpark(q, { view: `directory.${view}` })) || found;
    if (found) return;

    await q.query(`
      CREATE VIEW directory.public_site AS
      SELECT id, code, name, kind, time_zone, working_hours, holidays, active FROM directory.site`);
    await q.query(`
      CREATE VIEW directory.public_shift AS
      SELECT site_id, code, starts, ends FROM directory.shift`);
    await q.query(`
      CREATE VIEW directory.public_team AS
      SELECT id, site_id, code, name, team_category, production_mode, load_mode, dispatch_mode, active FROM directory.team`);
    // `active` says whether the member is an operator: the account, the membership and the team all are active.
    await q.query(`
      CREATE VIEW directory.public_team_member AS
      SELECT m.team_id, m.account_id AS operator_id, m.role, m.capacity_per_day, m.sort_priority,
             m.active AND t.active AND a.status = 'active' AS active, m.joined_at
      FROM directory.team_member m
      JOIN directory.team t ON t.id = m.team_id
      JOIN directory.account a ON a.id = m.account_id
      WHERE m.removed_at IS NULL`);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const view of views) await park(q, { view: `directory.${view}` });
  }
}
