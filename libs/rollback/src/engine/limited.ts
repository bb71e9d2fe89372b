import { setTimeout as sleep } from 'node:timers/promises';

/** How long work may take to end after it was told to. */
const GRACE_MS = 5_000;

class TimedOut extends Error {
  override readonly name = 'TimedOut';

  constructor(seconds: number) {
    super(`not done within ${seconds} s`);
  }
}

/** Work that does not heed its abort signal goes on somewhere: only a new epoch keeps it from doing harm. */
export class StillAtWork extends Error {
  override readonly name = 'StillAtWork';
}

/** Gives work a deadline of the monotonic clock and an abort signal; throws `TimedOut`, or the reason of the outer signal. */
export async function limited<Result>(
  outer: AbortSignal,
  seconds: number,
  work: (signal: AbortSignal, deadline: number) => Promise<Result>,
): Promise<Result> {
  outer.throwIfAborted();
  const over = new AbortController();
  const timer = setTimeout(() => {
    over.abort(new TimedOut(seconds));
  }, seconds * 1_000);
  const signal = AbortSignal.any([outer, over.signal]);
  const stillAtWork = new Promise<never>((_resolve, reject) => {
    const onAbort = () => {
      void sleep(GRACE_MS, undefined, { ref: false }).then(() => {
        reject(new StillAtWork('the step does not end when it is told to'));
      });
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  stillAtWork.catch(() => undefined);
  try {
    return await Promise.race([work(signal, performance.now() + seconds * 1_000), stillAtWork]);
  } catch (error) {
    // Why it was told to end says more than how it ended.
    if (!(error instanceof StillAtWork)) signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
