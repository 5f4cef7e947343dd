// storage-log.ts: what storage asks of a logger; the services' own fits. Without one, nothing is said.

export interface StorageLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const silentLog: StorageLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
