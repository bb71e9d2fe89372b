import { createHash, createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import type { World } from '../engine/world.js';

const lockfile = z.object({ packages: z.record(z.string(), z.object({ version: z.string().optional() })) });

/** What stood around the rows when they were copied, by the name of its file. No secret is in any of it. */
export async function contextFiles(world: World): Promise<ReadonlyMap<string, object>> {
  const [flags, jobs, processes, build] = await Promise.all([
    flagsOf(world),
    jobsOf(world),
    processesOf(world),
    buildOf(world),
  ]);
  return new Map<string, object>([
    ['flags.json', flags],
    ['jobs.json', jobs],
    ['processes.json', processes],
    ['build.json', build],
    ['config.json', configOf(world)],
  ]);
}

async function flagsOf({ runtime, control }: World): Promise<object> {
  const flags = runtime.domains.flatMap(({ flag, features }) => [
    ...(flag === undefined ? [] : [flag]),
    ...features.map((feature) => feature.flag),
  ]);
  const { rows } = await control.query(
    `SELECT scope, flag, off, seq::text, reason, actor, run_id, at FROM control.flag_override ORDER BY scope, flag`,
  );
  return { source: Object.fromEntries(flags.map((flag) => [flag, runtime.flags.reading(flag)])), overrides: rows };
}

/** What waits as facts and runs as jobs; the queues themselves belong to BullMQ and are filled anew from the facts. */
async function jobsOf({ application, control }: World): Promise<object> {
  const [active, waiting] = await Promise.all([
    control.query<{ id: string; jobs: unknown }>(
      `SELECT id, active_jobs AS jobs FROM control.process WHERE role = 'worker'`,
    ),
    application.query<{ domain: string; facts: string }>(
      `SELECT domain, count(*)::text AS facts FROM platform.outbox WHERE published_at IS NULL GROUP BY domain ORDER BY domain`,
    ),
  ]);
  return { active: active.rows, unpublishedFacts: waiting.rows };
}

async function processesOf({ control }: World): Promise<object> {
  const { rows } = await control.query(
    `SELECT id, role, host, pid, build_sha, applied_seq::text, flags_sha, booted, started_at, at FROM control.process ORDER BY id`,
  );
  return { processes: rows };
}

async function buildOf({ runtime }: World): Promise<object> {
  const root = rootOf(import.meta.dirname);
  const lock = root === undefined ? undefined : await readFile(join(root, 'package-lock.json'));
  const packages = lock && lockfile.parse(JSON.parse(lock.toString('utf8'))).packages;
  const dist = root !== undefined && existsSync(join(root, 'dist')) ? join(root, 'dist') : undefined;
  return {
    gitSha: runtime.config.BUILD_SHA,
    node: process.version,
    lockfileSha256: lock ? sha256(lock) : null,
    packages: packages
      ? Object.entries(packages).flatMap(([name, { version }]) => (name === '' ? [] : [`${name}@${version ?? ''}`]))
      : [],
    artifactSha256: dist === undefined ? null : await treeHash(dist),
  };
}

/** By a key that only this installation has: equal fingerprints are equal values, and say nothing else. */
function configOf({ runtime: { config } }: World): object {
  const key = createHmac('sha256', Buffer.from(config.SECRET_KEY, 'base64')).update('belay config').digest();
  const fingerprint = (value: unknown) =>
    createHmac('sha256', key)
      .update(canonicalize(value) ?? '')
      .digest('hex');
  return Object.fromEntries(
    Object.entries(config).flatMap(([name, value]) => (value === undefined ? [] : [[name, fingerprint(value)]])),
  );
}

function rootOf(folder: string): string | undefined {
  if (existsSync(join(folder, 'package-lock.json'))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : rootOf(parent);
}

async function treeHash(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : [])).sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.slice(folder.length)}\0${sha256(await readFile(file))}\n`);
  return hash.digest('hex');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
