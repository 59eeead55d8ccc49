import { join } from 'node:path';
import { KINDS, type EventBatch } from '../../events/index.js';
import type { LogContestant } from './contestant.js';
import { COLUMNS, foreign } from './foreign.js';

/** What is used of better-sqlite3. */
interface Database {
  pragma(source: string): unknown;
  exec(source: string): void;
  prepare(source: string): Statement;
  transaction(work: (batch: EventBatch, seq: number) => void): (batch: EventBatch, seq: number) => void;
  close(): void;
}

interface Statement {
  run(...values: number[]): unknown;
  get(...values: number[]): unknown;
  all(...values: number[]): unknown[];
  iterate(): IterableIterator<unknown>;
  raw(): Statement;
  pluck(): Statement;
}

const SETS = `FROM events WHERE kind = ${KINDS.set_entry.id} AND a = ?`;

/** SQLite by better-sqlite3: a transaction a batch, write-ahead log, `synchronous` FULL or OFF. */
export const sqlite: LogContestant = {
  open(folder, _history, sync) {
    const db = databaseOf(folder);
    db.pragma('journal_mode = WAL');
    db.pragma(`synchronous = ${sync ? 'FULL' : 'OFF'}`);
    db.exec(`CREATE TABLE events (seq INTEGER PRIMARY KEY, ${COLUMNS.map((name) => `${name} INTEGER`).join(', ')})`);
    const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    const append = db.transaction(({ kind, cpu, op, a, b, c, d, e, length }, seq) => {
      for (let i = 0; i < length; i++) {
        insert.run(seq + i, kind[i]!, cpu[i]!, op[i]!, a[i]!, b[i]!, c[i]!, d[i]!, e[i]!);
      }
    });
    return {
      append,
      flush: () => {
        // Each transaction is in the write-ahead log.
      },
      close: () => db.close(),
    };
  },

  scan(folder, seen) {
    const db = databaseOf(folder);
    const rows = db.prepare('SELECT * FROM events ORDER BY seq').raw().iterate() as IterableIterator<number[]>;
    for (const row of rows) seen.event(row[0]!, row[1]!, row[4]!, row[7]!);
    db.close();
  },

  ask(folder) {
    const db = databaseOf(folder);
    db.exec(`CREATE INDEX IF NOT EXISTS sets ON events (a) WHERE kind = ${KINDS.set_entry.id}`);
    const last = db.prepare(`SELECT seq ${SETS} ORDER BY seq DESC LIMIT 1`).pluck();
    const all = db.prepare(`SELECT seq ${SETS} ORDER BY seq`).pluck();
    return {
      setBy: (pfn) => (last.get(pfn) as number | undefined) ?? -1,
      eventsOf: (pfn) => all.all(pfn) as number[],
      close: () => db.close(),
    };
  },
};

function databaseOf(folder: string): Database {
  const Database = foreign('better-sqlite3') as new (path: string) => Database;
  return new Database(join(folder, 'events.sqlite'));
}
