import { Conflict } from '@belay/platform';

/** What keeps a period open. */
export interface Obstacles {
  /** Lots whose storage is in doubt, and weeks that were not run yet. */
  readonly dirty: number;
  /** Charges and storage that nobody knows the price of. */
  readonly unrated: number;
  /** Movements that cost something they were not charged. */
  readonly uncharged: number;
  readonly openImports: number;
}

export class PeriodNotClosable extends Conflict {
  readonly slug = 'period-not-closable';
  readonly title = 'The period cannot be closed yet';

  constructor(end: string, isOver: boolean, obstacles: Obstacles) {
    super(isOver ? `Something of the days up to ${end} is not settled yet.` : `The period goes on until ${end}.`, {
      end,
      isOver,
      ...obstacles,
    });
  }
}

export class PeriodIsOpen extends Conflict {
  readonly slug = 'period-is-open';
  readonly title = 'The period is open';

  constructor(start: string) {
    super(`The period from ${start} is not closed.`, { start });
  }
}
