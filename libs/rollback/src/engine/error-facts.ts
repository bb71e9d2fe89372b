import { databaseError, Problem } from '@belay/platform';
import type { JsonObject } from './json.js';

/** What a journal keeps of an error: enough to know what it was, and nothing that may hold secrets. */
export function factsOf(error: unknown): JsonObject {
  if (error instanceof Problem) return { code: error.slug, message: error.detail };
  const code = databaseError(error)?.code ?? nodeCode(error);
  const message = Error.isError(error) ? error.message : String(error);
  return { ...(code !== undefined && { code }), message };
}

// The driver and TypeORM give these no code.
const brokenOff =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Query runner already released)/;

/** Whether a connection broke, so that nobody knows what has become of the work; trying again is right after a look. */
export function brokeOff(error: unknown): boolean {
  const sqlState = databaseError(error)?.code;
  if (sqlState !== undefined) return /^(08|57P)/.test(sqlState);
  const code = nodeCode(error);
  if (code !== undefined) return /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENOTFOUND|EHOSTUNREACH)$/.test(code);
  return Error.isError(error) && brokenOff.test(error.message);
}

function nodeCode(error: unknown): string | undefined {
  return Error.isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
