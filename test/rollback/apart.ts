import { it } from '@jest/globals';
import type { RunRoom } from './run-room.js';

/** Tests in worlds of their own: most of what they do is waiting, which several can do at the same time. */
export function apartIn(open: () => Promise<RunRoom>) {
  return (title: string, work: (room: RunRoom) => Promise<void>): void => {
    it.concurrent(
      title,
      async () => {
        const room = await open();
        await work(room).finally(() => room.close());
      },
      60_000,
    );
  };
}
