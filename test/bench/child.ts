import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export interface Child {
  readonly url: string;
  stop(): Promise<void>;
}

const ready = z.object({ url: z.string() });

/** Starts a TypeScript program of `processes/` as a process of its own and waits until it says where it listens. */
export function startChild(name: string, args: readonly string[], env: Record<string, string> = {}): Promise<Child> {
  const loader = fileURLToPath(new URL('../support/ts-loader.mjs', import.meta.url));
  const program = fileURLToPath(new URL(`processes/${name}.ts`, import.meta.url));
  const child = fork(program, args, {
    execArgv: ['--import', loader, '--disable-warning=ExperimentalWarning'],
    env: { ...env },
    serialization: 'advanced',
  });
  const ended = new Promise<void>((resolve) =>
    child.once('exit', () => {
      resolve();
    }),
  );
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      reject(new Error(`${name} ended with ${code}`));
    });
    child.once('message', (message) => {
      resolve({
        url: ready.parse(message).url,
        stop: async () => {
          child.disconnect();
          await ended;
        },
      });
    });
  });
}
