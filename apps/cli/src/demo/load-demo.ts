import { randomUUIDv7 } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import { SYSTEM_ACCOUNT, type Config } from '@belay/platform';
import pg from 'pg';
import { demoPeople, demoSites, partOf, roleOf, siteOf } from './demo-people.js';

/** For everybody to read: loadDemo() refuses to put it into a production database. */
export const demoPassword = 'belay-demo-climb';

/** Who can sign in to the demo, each with the demo password. */
export const demoAccounts = [
  {
    username: 'admin',
    displayName: 'Ada Admin',
    roles: ['admin', 'ops_operator', 'ops_executor', 'ops_emergency', 'dba'],
  },
  {
    username: 'approver',
    displayName: 'Ari Approver',
    roles: ['ops_operator', 'ops_approver', 'ops_emergency', 'manager'],
  },
  { username: 'auditor', displayName: 'Aud Auditor', roles: ['auditor'] },
] as const;

/** Two of the staff who can sign in too, to see the floor as they do: a supervisor and an operator of Production. */
const demoStaff = ['jo0', 'guy1'] as const;

const timeZone = 'America/Los_Angeles';

/**
 * Fills an empty directory with the demo company, in one transaction. When anybody or any place is there already,
 * nothing happens. Says whether it was loaded now.
 */
export async function loadDemo(databaseUrl: string, environment: Config['NODE_ENV']): Promise<boolean> {
  if (environment === 'production')
    throw new Error('Demo data, with its published password, does not go into production.');
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('belay demo', 0))`);
    const { rowCount } = await client.query(
      `SELECT FROM directory.account UNION ALL SELECT FROM directory.site LIMIT 1`,
    );
    if (rowCount === 0) await fill(client);
    await client.query('COMMIT');
    return rowCount === 0;
  } finally {
    await client.end();
  }
}

async function fill(client: pg.Client): Promise<void> {
  const insert = async (sql: string, rows: readonly object[]) => {
    await client.query(sql, [JSON.stringify(rows)]);
  };
  await client.query(`SELECT set_config('belay.actor', $1, true), set_config('belay.reason', 'demo data', true)`, [
    SYSTEM_ACCOUNT,
  ]);
  const { people, departments, stays, shifts } = demoPeople();

  const sites = demoSites.map((site) => ({ id: randomUUIDv7(), ...site }));
  const siteIds = new Map<string, string>(sites.map(({ code, id }) => [code, id]));
  await insert(addSites, sites);
  await insert(
    addShifts,
    sites.flatMap(({ id }) => shifts.map(({ code, starts, ends }) => ({ site_id: id, code, starts, ends }))),
  );

  const teams = departments.map((department) => ({
    ...department,
    id: randomUUIDv7(),
    department,
    code: department.name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '-'),
    team_category: department.name === 'Quality Assurance' ? 'qc' : 'general',
    site_id: siteIds.get(siteOf(department)),
  }));
  const teamOf = new Map(teams.map((team) => [team.department.id, team]));
  await insert(addTeams, teams);

  const staff = people.map((person) => ({
    id: randomUUIDv7(),
    ...person,
    display_name: `${person.given_name} ${person.family_name}`,
  }));
  const personOf = new Map(staff.map((person) => [person.employee_no, person]));
  const demo = demoAccounts.map(({ username, displayName, roles }) => ({
    id: randomUUIDv7(),
    username,
    display_name: displayName,
    roles,
  }));
  await insert(addAccounts, [...staff, ...demo]);

  const members = stays.map((stay) => {
    const person = personOf.get(stay.employee_no);
    const team = teamOf.get(stay.department_id);
    if (!person || !team) throw new Error(`The demo data puts ${stay.employee_no} into ${stay.department_id}: unknown`);
    const role = roleOf(person.job_title, team.department);
    return { id: randomUUIDv7(), ...stay, account_id: person.id, team_id: team.id, site_id: team.site_id, role };
  });
  await insert(
    addMembers,
    members.map((member) => ({ ...member, role: partOf(member.role), time_zone: timeZone })),
  );
  await insert(addRoles, [
    ...members
      .filter(({ end_day }) => end_day === null)
      .map(({ account_id, role, site_id }) => ({ id: randomUUIDv7(), account_id, role, site_id })),
    ...demo.flatMap(({ id, roles }) =>
      roles.map((role) => ({ id: randomUUIDv7(), account_id: id, role, site_id: null })),
    ),
  ]);
  const signedIn = [...demo, ...staff.filter(({ username }) => demoStaff.some((one) => one === username))];
  await insert(
    addPasswords,
    await Promise.all(signedIn.map(async ({ id }) => ({ account_id: id, hash: await hash(demoPassword) }))),
  );
}

const addSites = `
  INSERT INTO directory.site (id, code, name, kind, address, time_zone, working_hours, holidays, row_version)
  SELECT id, code, name, kind, '{"line1": "3820 Bothell Way NE", "city": "Bothell", "region": "WA", "country": "US"}',
         '${timeZone}',
         (SELECT jsonb_object_agg(day, '[{"from": "07:00", "to": "23:00"}]'::jsonb)
          FROM unnest('{mon,tue,wed,thu,fri}'::text[]) AS day),
         '{2026-01-01,2026-07-03,2026-11-26,2026-12-25}', 1
  FROM jsonb_to_recordset($1) AS row (id uuid, code text, name text, kind text)`;

const addShifts = `
  INSERT INTO directory.shift (site_id, code, starts, ends)
  SELECT * FROM jsonb_to_recordset($1) AS row (site_id uuid, code text, starts time, ends time)`;

const addTeams = `
  INSERT INTO directory.team (id, code, name, site_id, team_category, row_version)
  SELECT id, code, name, site_id, team_category, 1
  FROM jsonb_to_recordset($1) AS row (id uuid, code text, name text, site_id uuid, team_category text)`;

const addAccounts = `
  INSERT INTO directory.account
    (id, kind, username, display_name, given_name, family_name, email, employee_no, row_version)
  SELECT id, 'person', username, display_name, given_name, family_name, email, employee_no, 1
  FROM jsonb_to_recordset($1) AS row
    (id uuid, username text, display_name text, given_name text, family_name text, email text, employee_no text)`;

const addMembers = `
  INSERT INTO directory.team_member (id, team_id, account_id, role, joined_at, removed_at, row_version)
  SELECT id, team_id, account_id, role, start_day::timestamp AT TIME ZONE time_zone,
         (end_day + 1)::timestamp AT TIME ZONE time_zone, 1
  FROM jsonb_to_recordset($1) AS row
    (id uuid, team_id uuid, account_id uuid, role text, start_day date, end_day date, time_zone text)`;

const addRoles = `
  INSERT INTO directory.account_role (id, account_id, role, site_id)
  SELECT * FROM jsonb_to_recordset($1) AS row (id uuid, account_id uuid, role text, site_id uuid)`;

const addPasswords = `
  INSERT INTO directory.password (account_id, hash)
  SELECT * FROM jsonb_to_recordset($1) AS row (account_id uuid, hash text)`;
