import { cp, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { World } from '../engine/world.js';
import type { BackupManifest } from './backup.contract.js';
import { readWhole } from './open-backup.js';

/** Gives the folder its name; it is on the disk under it when the promise is kept. */
export async function publish(draft: string, folder: string): Promise<void> {
  await rename(draft, folder);
  const parent = await open(dirname(folder), 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}

/** Says whether the second copy is whole; the first one is good without it. */
export async function copyTwice(
  world: World,
  folder: string,
  copies: string,
  manifest: BackupManifest,
): Promise<boolean> {
  const target = join(copies, basename(folder));
  const draft = `${target}.part`;
  try {
    await mkdir(copies, { recursive: true });
    await rm(draft, { recursive: true, force: true });
    await cp(folder, draft, { recursive: true });
    const { problems } = await readWhole(world.signer, draft, manifest);
    if (problems.length > 0) throw new Error('The second copy is not what was written');
    await publish(draft, target);
    return true;
  } catch (error) {
    world.runtime.log.error({ err: error, backup: manifest.id }, 'no second copy of a backup');
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    return false;
  }
}
