// Structured log lines for daemons: one JSON object a line on a writable stream, written synchronously by Node for files
// and terminals. Commands do not log, they print; a daemon's supervisor or journald keeps these lines.
// A library (pino) was tried: its asynchronous destination loses lines when a process exits at once.

import { messageOf, redact } from './errors.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose every line carries `fields` as well. */
  with(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level?: LogLevel;
  readonly fields?: LogFields;
  readonly write?: (line: string) => void;
  readonly now?: () => Date;
}

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', fields = {}, write = (line) => process.stderr.write(line), now = () => new Date() } = options;
  const log = (at: LogLevel, message: string, more: LogFields = {}): void => {
    if (ranks[at] < ranks[level]) return;
    const line = JSON.stringify({ time: now().toISOString(), level: at, message, ...fields, ...more }, plainError);
    write(`${redact(line)}\n`);
  };
  return {
    debug: (message, more) => log('debug', message, more),
    info: (message, more) => log('info', message, more),
    warn: (message, more) => log('warn', message, more),
    error: (message, more) => log('error', message, more),
    with: (more) => createLogger({ level, write, now, fields: { ...fields, ...more } }),
  };
}

/** A logger that drops every line. */
export const silentLogger: Logger = createLogger({ write: () => undefined });

function plainError(_key: string, value: unknown): unknown {
  return value instanceof Error ? messageOf(value) : value;
}
