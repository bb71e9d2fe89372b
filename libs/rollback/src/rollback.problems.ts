import { Conflict } from '@belay/platform';

export class IllegalTransition extends Conflict {
  readonly slug = 'illegal-transition';
  readonly title = 'This cannot follow that';

  constructor(machine: string, from: string, to: string) {
    super(`A ${machine} that is ${from} cannot become ${to}.`, { machine, from, to });
  }
}
