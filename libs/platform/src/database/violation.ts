import pg from 'pg';
import { QueryFailedError } from 'typeorm';

/** Whether the database refused because of the named constraint (unique, check, exclusion or foreign key). */
export function violates(error: unknown, constraint: string): boolean {
  return databaseError(error)?.constraint === constraint;
}

/** The server's own error behind what the driver or TypeORM threw, with `code` (SQLSTATE) and `constraint`. */
export function databaseError(error: unknown): pg.DatabaseError | undefined {
  if (error instanceof pg.DatabaseError) return error;
  if (error instanceof QueryFailedError) return databaseError(error.driverError);
  return undefined;
}
