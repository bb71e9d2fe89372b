import { randomBytes } from 'node:crypto';
import type { TestDatabases } from './databases.js';

/** What a process of an installation is started with; `more` says otherwise. */
export function environmentOf(
  { databaseUrl, controlUrl }: Pick<TestDatabases, 'databaseUrl' | 'controlUrl'>,
  flagsFile: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    SECRET_KEY: randomBytes(32).toString('base64'),
    DATABASE_URL: databaseUrl,
    CONTROL_DATABASE_URL: controlUrl,
    FLAGS_FILE: flagsFile,
    PORT: '0',
    RATE_LIMIT_PER_MINUTE: '1000000',
    ANONYMOUS_RATE_LIMIT_PER_MINUTE: '1000000',
    ...more,
  };
}
