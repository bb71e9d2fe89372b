import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';
import { redactText } from './redact.js';

/** What Nest says of itself, in our log; how it composes an application is only told at `debug`. */
export class NestLogger implements LoggerService {
  constructor(private readonly to: Logger) {}

  fatal(message: unknown, ...more: unknown[]): void {
    this.write('fatal', message, more);
  }

  error(message: unknown, ...more: unknown[]): void {
    this.write('error', message, more);
  }

  warn(message: unknown, ...more: unknown[]): void {
    this.write('warn', message, more);
  }

  log(message: unknown, ...more: unknown[]): void {
    this.write('debug', message, more);
  }

  debug(message: unknown, ...more: unknown[]): void {
    this.write('debug', message, more);
  }

  verbose(message: unknown, ...more: unknown[]): void {
    this.write('trace', message, more);
  }

  /** Nest puts the part of itself that speaks last, and before it the stack of an error. */
  private write(level: 'fatal' | 'error' | 'warn' | 'debug' | 'trace', message: unknown, more: unknown[]): void {
    const part = more.at(-1);
    const facts = { part, more: more.slice(0, -1) };
    if (message instanceof Error) this.to[level]({ err: message, ...facts }, 'nest');
    else if (typeof message === 'string') this.to[level](facts, redactText(message));
    else this.to[level]({ message, ...facts }, 'nest');
  }
}
