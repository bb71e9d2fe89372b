import { pino, type DestinationStream, type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Config } from '../config/config.js';
import { logContext } from './log-context.js';
import { redact } from './redact.js';

export type LogConfig = Pick<Config, 'NODE_ENV' | 'LOG_LEVEL' | 'LOG_PRETTY' | 'BUILD_SHA'>;

/**
 * The log of a process: JSON lines on standard output, of a command on standard error, written beside the work and
 * flushed when the process ends or crashes; coloured text instead where a developer watches. Secrets do not pass,
 * whatever is logged.
 */
export function createLogger(config: LogConfig, role: string, processId?: string, to?: DestinationStream): Logger {
  const base = { role, build: config.BUILD_SHA, ...(processId === undefined ? {} : { process: processId }) };
  return pino(
    {
      level: config.LOG_LEVEL,
      base,
      mixin: logContext,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redact },
      // Errors are ready when they come from `redact`.
      serializers: { err: (shown: unknown) => shown },
    },
    to ?? destination(config, role),
  );
}

/** Notes what ends the process, which ends as it would have. */
export function logCrashes(log: Logger): void {
  process.on('uncaughtExceptionMonitor', (error, origin) => {
    log.fatal({ err: error, origin }, 'crashed');
  });
}

function destination({ LOG_PRETTY, NODE_ENV }: LogConfig, role: string): DestinationStream {
  // What a command prints is for whoever reads its answer.
  const output = pino.destination({ dest: role === 'cli' ? 2 : 1, sync: false });
  if (!(LOG_PRETTY ?? (NODE_ENV === 'development' && process.stdout.isTTY))) return output;
  // Formatted here instead of in a stream of its own, so that a crash loses no line.
  const prettify = prettyFactory({
    colorize: process.stdout.isTTY,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'role,build,process',
    singleLine: true,
  });
  return { write: (line) => output.write(prettify(line)) };
}
