/** What can go wrong while a machine is prepared, each in one sentence that says what to do. */
export class SetupProblem extends Error {
  /** `step` is what was being done, `output` what the program that did it said. */
  constructor(step, output) {
    super(output);
    this.step = step;
    this.output = output;
  }
}

const causes = [
  [/ENOSPC|no space left on device/i, () => 'The disk is full: free some space and run the command again.'],
  [/EDQUOT/, () => 'Your disk quota is used up: free some space and run the command again.'],
  [/EACCES|EPERM/, () => 'Files in this folder cannot be written: run the command as the user who owns the checkout.'],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|network|ERR_SOCKET_TIMEOUT/i,
    () => 'The npm registry cannot be reached: check the network, or the registry and proxy in your npm configuration.',
  ],
  [
    /EUSAGE|can only install .* when your package.json and package-lock.json/i,
    () => 'package-lock.json does not fit package.json: run `npm install` and commit the lock file.',
  ],
  [
    /EBADENGINE|Unsupported engine/i,
    () => 'npm refuses this version of Node or npm: Node 20 with npm 10 or newer is needed to begin with.',
  ],
];

/** One sentence for a person; the whole output only where no cause is known. */
export function explain(error) {
  if (error?.code === 'ENOENT' && error.path === 'npm') return 'npm is not installed: it comes with Node.js, version 20 or newer.';
  const text = `${error?.code ?? ''} ${error?.message ?? error}`;
  if (error instanceof SetupProblem && error.step === 'platform') {
    return `There is no Node 24 for ${error.output} in the npm packages: install Node 24.11 or newer and run the command again.`;
  }
  if (error instanceof SetupProblem && error.step === 'build') return `The build failed:\n${error.output.trim()}`;
  const cause = causes.find(([pattern]) => pattern.test(text));
  return cause ? cause[1](text) : `Something is wrong that we did not foresee:\n${text.trim()}`;
}
