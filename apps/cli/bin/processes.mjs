import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const sayEveryMs = 10_000;
const running = new Set();

// Run before the program: it ends with us, also when we were killed and could not tell it to. What the program forks has
// channels of its own and does not inherit this.
const endWithParent = [
  `data:text/javascript,process.once('disconnect',()=>process.kill(process.pid)).channel?.unref()`,
  `process.execArgv.splice(process.execArgv.findIndex((arg)=>arg.startsWith('data:'))-1,2)`,
].join(';');

let asked;

/** Whatever asks us to end is handed on, and we end when what we run has; at once when there is nothing. */
export function forwardSignals() {
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      asked = 128 + constants.signals[signal];
      if (running.size === 0) process.exit(asked);
      for (const child of running) child.kill(signal);
    });
  }
}

/** The exit code that says that we were asked to end; undefined when we were not. */
export function interruption() {
  return asked;
}

/** Runs a Node program with our terminal; answers its exit code. */
export function finish([node, ...args], env) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, ['--import', endWithParent, ...args], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...env },
    });
    running.add(child);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      running.delete(child);
      resolve(code ?? asked ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/** Runs a program without showing what it says; answers that and the exit code. `still` is called now and then. */
export function capture([program, ...args], env = {}, still = () => {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    running.add(child);
    const timer = setInterval(still, sayEveryMs);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    const end = (settle, value) => {
      clearInterval(timer);
      running.delete(child);
      settle(value);
    };
    child.once('error', (error) => end(reject, error));
    child.once('close', (code) => end(resolve, { code, text }));
  });
}
