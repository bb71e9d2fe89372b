import type { INestApplicationContext, Type } from '@nestjs/common';
import type { AccountFacts } from '../auth/accounts.js';
import type { Runtime } from '../runtime.js';

/** What the command line gives to the commands that a domain brings. */
export interface CommandHost {
  /** Opens both databases, which are started first when they are ours, and composes the module with a runtime of its own. */
  readonly open: (module: Type) => Promise<OpenHost>;
  readonly print: (text: string) => void;
  /** Beside the answer: how far it is, what to know. */
  readonly note: (text: string) => void;
  /** Asks whoever sits there; undefined when nobody does. */
  readonly ask: (question: string) => Promise<string | undefined>;
  readonly finish: (exitCode: number) => void;
  /** One sentence about what went wrong, for whoever typed the command. */
  readonly explain: (error: unknown) => string;
}

export interface OpenHost {
  readonly runtime: Runtime;
  readonly context: INestApplicationContext;
  /** Asks for the password, unless it was given to the process, and answers who has it; throws the refusal. */
  readonly signIn: (username: string) => Promise<AccountFacts>;
  readonly close: () => Promise<void>;
}
