import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Whether node_modules holds what the lock file names. npm writes its own list there when an installation has come to
 * its end, so that one that was cut off is recognised; packages for other platforms may be missing.
 */
export function isInstalled(root) {
  const list = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(list) || nodeProgram(root) === undefined) return false;
  try {
    const { packages: installed } = JSON.parse(readFileSync(list, 'utf8'));
    const { packages: wanted } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
    const differs = ([name, { version }]) => installed[name]?.version !== version;
    const required = Object.entries(wanted).filter(
      ([name, { optional }]) => name !== '' && (installed[name] || !optional),
    );
    return !required.some(differs) && Object.keys(installed).every((name) => wanted[name] !== undefined);
  } catch {
    return false;
  }
}

/** Node 24 from npm; else the one that runs this, when it is new enough; undefined when there is none. */
export function nodeProgram(root) {
  const { platform, arch, versions, execPath } = process;
  const folder = join(root, 'node_modules', `node-${platform === 'win32' ? 'win' : platform}-${arch}`, 'bin');
  const local = join(folder, platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(local)) return local;
  const [major, minor] = versions.node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 11) ? execPath : undefined;
}
