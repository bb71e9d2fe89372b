import type { Action } from './action.js';
import type { JsonObject } from './json.js';
import { UnknownAction } from '../rollback.problems.js';

const actionName = /^[a-z]+(\.[a-z]+)*$/;

/** An action whose functions get what its schema lets through, and nothing else. Throws when its description is unsound. */
export function defineAction<Input extends JsonObject>(action: Action<Input>): Action {
  const { name, version, timeoutS, retries, input } = action;
  if (!actionName.test(name)) throw new Error(`An action cannot be named ${name}`);
  if (!Number.isInteger(version) || version < 1) throw new Error(`${name}: versions count from 1`);
  if (!(timeoutS > 0)) throw new Error(`${name}: an action has a time limit`);
  if (!Number.isInteger(retries.attempts) || retries.attempts < 1) throw new Error(`${name}: attempts count from 1`);
  return {
    ...action,
    inspect: async (context, given) => action.inspect(context, input.parse(given)),
    preview: async (context, given) => action.preview(context, input.parse(given)),
    execute: async (context, given) => action.execute(context, input.parse(given)),
    verify: async (context, given, done) => action.verify(context, input.parse(given), done),
    compensate: async (context, given, done) => action.compensate(context, input.parse(given), done),
    reconcile: async (context, given, before) => action.reconcile(context, input.parse(given), before),
  };
}

/** Every kind of step that this build can carry out. */
export class Actions {
  readonly #byName = new Map<string, Action>();

  constructor(readonly all: readonly Action[]) {
    for (const action of all) {
      const id = idOf(action.name, action.version);
      if (this.#byName.has(id)) throw new Error(`Two actions are ${id}`);
      this.#byName.set(id, action);
    }
  }

  find(name: string, version: number): Action | undefined {
    return this.#byName.get(idOf(name, version));
  }

  /** Throws `UnknownAction`. */
  get(name: string, version: number): Action {
    const action = this.find(name, version);
    if (!action) throw new UnknownAction(name, version);
    return action;
  }
}

function idOf(name: string, version: number): string {
  return `${name} version ${version}`;
}
