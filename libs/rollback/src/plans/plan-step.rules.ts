import type { Action } from '../engine/action.js';
import type { JsonObject } from '../engine/json.js';
import type { PlanStep } from './plan.contract.js';

/** What planning must know of an action; nothing of how it is done. */
export type ActionFacts = Pick<
  Action,
  'name' | 'version' | 'input' | 'destructive' | 'effect' | 'timeoutS' | 'emergency'
>;

/** The actions of this build. */
export interface ActionCatalogue {
  readonly all: readonly ActionFacts[];
}

/** The newest version of an action, which is the one that new plans use. */
export function newestOf({ all }: ActionCatalogue, name: string): ActionFacts | undefined {
  return all
    .filter((action) => action.name === name)
    .reduce<ActionFacts | undefined>((best, one) => (best && best.version > one.version ? best : one), undefined);
}

export interface StepWish {
  readonly key: string;
  readonly action: string;
  readonly domain: string | null;
  readonly input: JsonObject;
  readonly timeoutS?: number;
  readonly onFail?: PlanStep['onFail'];
}

/** What cannot be switched on again by a failure is held; what touches rows is taken back. */
const onFail = (facts: ActionFacts | undefined): PlanStep['onFail'] =>
  facts?.destructive === true ? 'compensate' : 'hold';

/** One after the other: each step comes after all before it. An action that does not exist is left for the linter. */
export function stepsOf(catalogue: ActionCatalogue, wishes: readonly StepWish[]): PlanStep[] {
  return wishes.map((wish, place) => {
    const facts = newestOf(catalogue, wish.action);
    return {
      key: wish.key,
      action: wish.action,
      version: facts?.version ?? 1,
      domain: wish.domain,
      input: wish.input,
      after: wishes.slice(Math.max(place - 1, 0), place).map(({ key }) => key),
      destructive: facts?.destructive ?? false,
      timeoutS: wish.timeoutS ?? facts?.timeoutS ?? 60,
      onFail: wish.onFail ?? onFail(facts),
      undo: undoOf(wish),
    };
  });
}

const undos: Readonly<Record<string, string>> = {
  'flag.off': 'The override goes back to what it was; only an undo, or lifting it, does that',
  'flag.lift': 'The override is set again',
  'jobs.stop': 'Its queue is resumed; crons come back with the module',
  'jobs.start': 'Its queue is paused again',
  'migration.down': 'The next up takes every parked object back, with its rows',
  'migration.up': 'What came up is parked again',
  'rows.restore': 'The rows as they were before are kept beside, and put back',
  'domain.restore': 'The replaced schema is kept under its failed name, and swapped back',
  'database.restore': 'The replaced database is kept under its failed name, and swapped back',
  'unleash.sync': 'The former state is in the flag snapshot',
  'manual.command': 'Printed for the person who did it',
  purge: 'Nothing: only the proven backup has it afterwards',
};

function undoOf({ action }: StepWish): string {
  return undos[action] ?? 'Nothing is to be taken back';
}

/** A member of an input as people read it; nothing when it is not there. */
export function wordOf(input: JsonObject, name: string): string {
  const word = input[name];
  if (word === undefined || word === null) return '';
  return typeof word === 'string' ? word : JSON.stringify(word);
}
