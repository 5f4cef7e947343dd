// log.ts: one JSON object on one line of stderr for each event.
//
//   {"time":"2026-01-31T12:00:00.000Z","level":"info","service":"catalog","message":"listening","address":"127.0.0.1:5001"}
//
// Nothing is built when the level is off. Lines are written synchronously to descriptor 2, from every thread alike: a
// worker's own process.stderr goes through the main thread, and the last words of a dying thread would be lost there.

import { writeSync } from 'node:fs';

/** Levels from the most to the least talkative. Nothing that happens once per request is above `debug`. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a line says beside its message; an Error is written as its message, with its cause's behind it. */
export type LogFields = Readonly<Record<string, unknown>>;

const STDERR = 2;

/** Writes log lines of one service. `child` adds fields to every line. */
export class Log {
  readonly #threshold: number;
  readonly #fields: LogFields;
  readonly #write: (line: string) => void;

  constructor(
    readonly level: LogLevel,
    fields: LogFields = {},
    write: (line: string) => void = writeToStderr,
  ) {
    this.#threshold = LOG_LEVELS.indexOf(level);
    this.#fields = fields;
    this.#write = write;
  }

  child(fields: LogFields): Log {
    return new Log(this.level, { ...this.#fields, ...fields }, this.#write);
  }

  /** Whether a line of that level would be written: ask before building costly fields. */
  isOn(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= this.#threshold;
  }

  debug(message: string, fields?: LogFields): void {
    this.#line('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#line('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#line('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#line('error', message, fields);
  }

  #line(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (!this.isOn(level)) return;
    const line = { time: new Date().toISOString(), level, ...this.#fields, message, ...fields };
    this.#write(`${JSON.stringify(line, plainErrors)}\n`);
  }
}

/** `error.message`, and the messages of its causes behind it, but for those that say the same again. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : messageOf(error.cause);
  const isRepeated = error.message.includes(cause) || cause.includes(error.message);
  return isRepeated ? error.message : `${error.message}: ${cause}`;
}

function plainErrors(_key: string, value: unknown): unknown {
  if (value instanceof Error) return messageOf(value);
  return typeof value === 'bigint' ? Number(value) : value;
}

function writeToStderr(line: string): void {
  try {
    writeSync(STDERR, line);
  } catch {
    // A closed or full stderr must not end a service.
  }
}
