import { PassThrough } from 'node:stream';
import {
  createParamDecorator,
  Inject,
  Injectable,
  StreamableFile,
  type BeforeApplicationShutdown,
  type ExecutionContext,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { LOG } from '../runtime.js';

export interface StreamEvent {
  /** Handed back as Last-Event-ID when the client comes again; one line. */
  readonly id: string;
  readonly name?: string;
  readonly data: unknown;
}

/**
 * Sends what happens until the signal says to stop. When it answers a promise, the stream ends with it; else it goes on
 * for as long as the client stays.
 */
export type Follow = (send: (event: StreamEvent) => void, signal: AbortSignal) => void | Promise<void>;

const heartbeatMs = 15_000;
const reconnectMs = 1_000;
/** Bytes that may wait for a client that does not read; past them it is left to come back by itself. */
const mostWaiting = 1_048_576;

/** The id of the last event that the client has seen, when it comes back. */
export const LastEventId = createParamDecorator((_data: unknown, context: ExecutionContext): string | undefined => {
  const id = context.switchToHttp().getRequest<FastifyRequest>().headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
});

/**
 * Server-sent events. A stream lives until its source ends, the client leaves or the application is about to close;
 * clients come back by themselves and say by Last-Event-ID where they were.
 */
@Injectable()
export class EventStreams implements BeforeApplicationShutdown {
  readonly #open = new Set<PassThrough>();
  #ended = false;

  constructor(@Inject(LOG) private readonly log: Logger) {}

  /** The answer of a route with `events: true`. */
  open(follow: Follow, heartbeat = heartbeatMs): StreamableFile {
    const stream = new PassThrough();
    const gone = new AbortController();
    const beat = setInterval(() => {
      write(stream, ': still here\n\n');
    }, heartbeat);
    this.#open.add(stream);
    const stop = () => {
      clearInterval(beat);
      this.#open.delete(stream);
      gone.abort();
    };
    stream.once('finish', stop).once('close', stop);

    stream.write(`retry: ${reconnectMs}\n\n`);
    if (this.#ended) stream.end();
    else void this.follow(stream, follow, gone.signal);
    return new StreamableFile(stream, { type: 'text/event-stream' });
  }

  /** Ends every stream, and from now on every one that is asked for: the clients come back to whoever answers then. */
  end(): void {
    this.#ended = true;
    for (const stream of this.#open) stream.end();
  }

  beforeApplicationShutdown(): void {
    this.end();
  }

  private async follow(stream: PassThrough, follow: Follow, signal: AbortSignal): Promise<void> {
    try {
      const following = follow((event) => {
        write(stream, frame(event));
      }, signal);
      if (following === undefined) return;
      await following;
    } catch (error) {
      if (!signal.aborted) this.log.error({ err: error }, 'event stream broken');
    }
    stream.end();
  }
}

function write(stream: PassThrough, text: string): void {
  if (stream.writableEnded || stream.destroyed) return;
  stream.write(text);
  if (stream.writableLength > mostWaiting) stream.destroy();
}

function frame({ id, name, data }: StreamEvent): string {
  if (/[\r\n\0]/.test(`${id}${name ?? ''}`)) throw new Error('The id and the name of an event are one line each');
  return `${name === undefined ? '' : `event: ${name}\n`}id: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}
