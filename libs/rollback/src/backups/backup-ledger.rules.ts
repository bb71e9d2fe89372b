/** The SQL of one migration as it ran, statement by statement. */
export interface MigrationSql {
  readonly up: readonly string[];
  readonly down: readonly string[];
  /** Takes back what `down` parked. */
  readonly upAgain: readonly string[];
}

const sections = ['up', 'down', 'upAgain'] as const;
const STATEMENT = '-- belay: statement';
const section = (name: string) => `-- belay: ${name}`;

export function migrationFile(domain: string, name: string): string {
  return `migrations/${domain}/${name}.sql`;
}

/** A file that people can read and psql can run, cut by comments that a statement must not contain. */
export function writeMigrationSql(sql: MigrationSql): string {
  const lines = sections.flatMap((name) => [
    section(name),
    ...sql[name].flatMap((statement) => [STATEMENT, checked(statement), ';']),
  ]);
  return `${lines.join('\n')}\n`;
}

export function readMigrationSql(text: string): MigrationSql {
  const found: Record<(typeof sections)[number], string[]> = { up: [], down: [], upAgain: [] };
  let into: string[] | undefined;
  for (const part of text.split(/^-- belay: /m)) {
    const [head = '', ...body] = part.split('\n');
    const name = sections.find((one) => one === head);
    if (name) into = found[name];
    else if (head === 'statement') into?.push(body.join('\n').replace(/\n;\n$/, ''));
  }
  return found;
}

function checked(statement: string): string {
  if (/^-- belay: /m.test(statement))
    throw new Error(`A migration must not contain a line that begins with "-- belay: "`);
  return statement;
}
