/** What can go wrong while a machine is prepared. */
export class SetupProblem extends Error {
  /** `step` is what was being done, `output` what the program that did it said. */
  constructor(step, output) {
    super(output);
    this.step = step;
    this.output = output;
  }
}

const causes = [
  [/ENOSPC|no space left on device/i, 'The disk is full: free some space and run the command again.'],
  [/EDQUOT/, 'Your disk quota is used up: free some space and run the command again.'],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|ERR_SOCKET_TIMEOUT/,
    'The npm registry cannot be reached: check the network, or the registry and proxy in your npm configuration.',
  ],
  [/\bE40[13]\b/, 'The npm registry refuses us: check the credentials in your npm configuration.'],
  [
    /EUSAGE|can only install packages when your package.json and package-lock.json/,
    'package-lock.json does not fit package.json: run `npm install` and commit the lock file.',
  ],
  [
    /EBADENGINE|Unsupported engine|lockfileVersion|Unknown command: "ci"/,
    'This npm is too old: Node 20 with npm 10 or newer is needed to begin with.',
  ],
  [/EINTEGRITY/, 'A package is not what the lock file names: run `npm cache clean --force` and run the command again.'],
  [/EACCES|EPERM|EROFS/, 'Files of this folder cannot be written: run the command as the user who owns it.'],
];

/** One sentence for a person that says what to do; the whole output only where no cause is known. */
export function explain(error) {
  const { step, output } = error instanceof SetupProblem ? error : {};
  if (step === 'platform') return platform(output);
  if (step === 'build') return /ENOSPC/.test(output) ? causes[0][1] : `The build failed:\n${output.trim()}`;
  if (step === 'arguments') return output;
  if (error?.code === 'ENOENT' && error.path === 'npm')
    return 'npm is not installed: it comes with Node.js, version 20 or newer.';
  // A binary for another C library, as on Alpine, is there and still not found by the loader.
  if (error?.code === 'ENOENT' && error.syscall?.startsWith('spawn')) return platform('this system');
  const text = step === 'install' ? errorsOf(output) : `${error?.code ?? ''} ${error?.message ?? error}`;
  const cause = causes.find(([pattern]) => pattern.test(text));
  return cause ? cause[1] : `Something went wrong that was not foreseen:\n${text.trim()}`;
}

function platform(name) {
  return `There is no Node 24 for ${name} among the npm packages: install Node 24.11 or newer and run the command again.`;
}

/** npm's warnings name things that stop nothing. */
function errorsOf(output) {
  const lines = output.split('\n').filter((line) => !/^npm (warn|notice)/i.test(line));
  return lines.join('\n');
}
