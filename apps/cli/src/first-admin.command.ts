import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import { readConfig, SYSTEM_ACCOUNT } from '@belay/platform';
import { Command } from 'commander';
import pg from 'pg';

/** Somebody administers already, or the name cannot be had. */
export class NoFirstAdmin extends Error {
  override readonly name = 'NoFirstAdmin';
}

/** `belay first-admin <username>`; `databaseUrl` says which database, `print` takes the answer. */
export function firstAdminCommand(
  databaseUrl: () => string = () => readConfig().DATABASE_URL,
  print: (answer: string) => void = (answer) => process.stdout.write(answer),
): Command {
  return new Command('first-admin')
    .description('makes the account that makes all others, while nobody administers Belay yet')
    .argument('<username>', '2 to 64 letters, digits, dots, underscores, hyphens or @')
    .option('--name <name>', 'as people read it')
    .action(async (given: string, { name }: { name?: string }) => {
      const username = given.trim().toLowerCase();
      const password = await makeFirstAdmin(databaseUrl(), username, name ?? username);
      print(`${username} may sign in with ${password} and must then choose a password. It is shown only now.\n`);
    });
}

/**
 * Makes an administrator with a random password, which must be changed at the first sign-in, and returns the password.
 * Throws NoFirstAdmin when an active one exists or the username is taken or unusable; of two at once, one is refused.
 */
async function makeFirstAdmin(databaseUrl: string, username: string, displayName: string): Promise<string> {
  if (!/^[a-z0-9][a-z0-9._@-]{1,63}$/.test(username))
    throw new NoFirstAdmin(
      `${username} is no username: it has 2 to 64 letters, digits, dots, underscores, hyphens or @.`,
    );
  const password = randomBytes(18).toString('base64url');
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('BEGIN');
    // As whoever stops being an administrator does, so that the last to leave and the first to come take turns.
    await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('directory.admins', 0))`);
    const { rowCount: admins } = await client.query(
      `SELECT FROM directory.account_role r JOIN directory.account a ON a.id = r.account_id
       WHERE r.role = 'admin' AND r.site_id IS NULL AND a.status = 'active' AND a.kind = 'person' LIMIT 1`,
    );
    if (admins !== 0)
      throw new NoFirstAdmin('Somebody administers Belay already: sign in as that account and add others.');
    await client.query(
      `SELECT set_config('belay.actor', $1, true), set_config('belay.reason', 'first administrator', true)`,
      [SYSTEM_ACCOUNT],
    );
    const id = randomUUIDv7();
    const { rowCount: made } = await client.query(
      `INSERT INTO directory.account (id, kind, username, display_name, must_change_password, row_version)
       VALUES ($1, 'person', $2, $3, true, 1) ON CONFLICT (username) DO NOTHING`,
      [id, username, displayName],
    );
    if (made === 0) throw new NoFirstAdmin(`${username} is the username of another account.`);
    await client.query(`INSERT INTO directory.password (account_id, hash) VALUES ($1, $2)`, [id, await hash(password)]);
    await client.query(
      `INSERT INTO directory.account_role (id, account_id, role, site_id) VALUES ($1, $2, 'admin', NULL)`,
      [randomUUIDv7(), id],
    );
    await client.query('COMMIT');
    return password;
  } finally {
    await client.end();
  }
}
