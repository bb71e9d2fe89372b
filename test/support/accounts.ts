import { randomUUIDv7 } from 'node:crypto';

type Query = (sql: string, values: unknown[]) => Promise<unknown>;

/** Somebody new who holds these roles and permissions (the names with a colon) everywhere; answers who. */
export async function insertAccount(
  query: Query,
  held: readonly string[],
  kind: 'person' | 'machine' = 'person',
): Promise<string> {
  const id = randomUUIDv7();
  await query(
    `INSERT INTO directory.account (id, kind, username, display_name, row_version) VALUES ($1, $2, $3, $4, 1)`,
    [id, kind, `user-${id}`, `User ${id}`],
  );
  for (const name of held) {
    const [table, column] = name.includes(':') ? ['account_permission', 'permission'] : ['account_role', 'role'];
    await query(`INSERT INTO directory.${table} (id, account_id, ${column}) VALUES ($1, $2, $3)`, [
      randomUUIDv7(),
      id,
      name,
    ]);
  }
  return id;
}
