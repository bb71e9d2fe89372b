import { databaseError } from '@belay/platform';

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: free some space and run the command again.',
  EACCES: 'Files of this folder cannot be written: run the command as the user who owns it.',
  EPERM: 'Files of this folder cannot be written: run the command as the user who owns it.',
  ECONNREFUSED: 'The database cannot be reached: is it running, and are DATABASE_URL and CONTROL_DATABASE_URL right?',
};

/** One sentence for whoever typed the command; a stack only for what nobody foresaw. */
export function sentenceFor(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const reason = reasons[code];
  if (reason !== undefined) return reason;
  const refusal = databaseError(error);
  if (refusal?.code === '42P01' || refusal?.code === '3F000')
    return `The databases are not of this release (${refusal.message}): run \`belay migrate up\`.`;
  if (refusal) return `The database refused: ${refusal.message}.`;
  return error instanceof Error ? error.message : String(error);
}
