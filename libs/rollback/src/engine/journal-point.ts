/** Where an executor can die: between any two things that are written or done. */
export const journalPoints = [
  'before-preview',
  'before-intent',
  'after-intent',
  'after-effect',
  'after-result',
  'in-verify',
  'after-verify',
  'before-compensation-intent',
  'after-compensation-intent',
  'after-compensation',
  'after-compensation-result',
] as const;

export type JournalPoint = (typeof journalPoints)[number];

/** Told of every point that is passed; the next thing is done when it answers. */
export type JournalObserver = (
  point: JournalPoint,
  step: { readonly idx: number; readonly action: string },
) => Promise<void>;
