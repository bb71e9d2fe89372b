import type { Ledger } from '@belay/platform';
import checksums from './checksums.json' with { type: 'json' };
import { CreateControl1764000000000 } from './control/1764000000000-create-control.js';
import { CreatePlatform1764000000100 } from './platform/1764000000100-create-platform.js';
import { CreateSigningKey1764000000200 } from './platform/1764000000200-create-signing-key.js';

/** Every migration there is, in the order in which domains stand on each other. A file that is not here does not run. */
export const ledgers: readonly Ledger[] = [
  { domain: 'control', database: 'control', checksums, migrations: [CreateControl1764000000000] },
  {
    domain: 'platform',
    database: 'application',
    checksums,
    migrations: [CreatePlatform1764000000100, CreateSigningKey1764000000200],
  },
];
