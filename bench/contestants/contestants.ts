import type { LogContestant } from './contestant.js';

/** Our own log. */
export const OURS = 'p2mlog';

/** Everybody, each with its own module: what one loads is not in another's process. */
export const CONTESTANTS = {
  [OURS]: async (): Promise<LogContestant> => (await import('./p2mlog.js')).p2mlog,
  'JSONL, ours': async (): Promise<LogContestant> => (await import('./jsonl.js')).jsonl,
  'JSON.stringify': async (): Promise<LogContestant> => (await import('./jsonl.js')).plainJson,
  SQLite: async (): Promise<LogContestant> => (await import('./sqlite.js')).sqlite,
  DuckDB: async (): Promise<LogContestant> => (await import('./duckdb.js')).duckdb,
} as const;

/** Packages that contestants need, which may not be there. */
export const NEEDS: Readonly<Record<string, string>> = { SQLite: 'better-sqlite3', DuckDB: '@duckdb/node-api' };

/** What a process does. */
export type StepName = 'append' | 'append, synced' | 'scan' | 'verify' | 'questions' | 'recovery';

/** What came of a part of a step. */
export interface Measure {
  readonly count: number;
  readonly wallNs: number;
  readonly cpuNs: number;
  /** Must begin as those of all other contestants do. */
  readonly checks?: readonly number[];
  /** Of all files. */
  readonly bytes?: number;
  /** Milliseconds of each of `count`. */
  readonly eachMs?: readonly number[];
}

/** What came of a step. */
export interface Measured {
  readonly measures: Readonly<Record<string, Measure>>;
  /** Most that the process had in memory. */
  readonly residentBytes: number;
}
