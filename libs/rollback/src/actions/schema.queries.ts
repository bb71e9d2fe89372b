import { catalogFingerprint } from '@belay/platform';
import { z } from 'zod';
import type { World } from '../engine/world.js';

/** Of what the schema of the domain consists of now, parked or not. */
export async function fingerprintNow({ application }: World, domain: string): Promise<string> {
  const client = await application.connect();
  try {
    return (await catalogFingerprint(client, domain)).sha256;
  } finally {
    client.release();
  }
}

/** What the migrator wrote down when it was last done with the domain; null when it never was. */
export async function fingerprintRecorded({ control }: World, domain: string): Promise<string | null> {
  const { rows } = await control.query(`SELECT sha256 FROM control.schema_fingerprint WHERE domain = $1`, [domain]);
  return z.array(z.object({ sha256: z.string() })).parse(rows)[0]?.sha256 ?? null;
}
