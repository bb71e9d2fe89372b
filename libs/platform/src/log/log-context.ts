import { AsyncLocalStorage } from 'node:async_hooks';

const context = new AsyncLocalStorage<Readonly<Record<string, string>>>();

/** Whatever is logged by the work, and by what it starts, carries these facts. For logs only: it decides nothing. */
export function inLogContext<Result>(facts: Readonly<Record<string, string>>, work: () => Result): Result {
  return context.run(facts, work);
}

export function logContext(): Record<string, string> {
  return { ...context.getStore() };
}
