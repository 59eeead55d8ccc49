import { join } from 'node:path';
import { KINDS } from '../../events/index.js';
import { BATCH } from '../works/log_history.js';
import type { LogContestant } from './contestant.js';
import { COLUMNS, foreign } from './foreign.js';

/** What is used of @duckdb/node-api. */
interface DuckDb {
  readonly DuckDBInstance: { create(path: string): Promise<Instance> };
  readonly DuckDBDataChunk: { create(types: readonly unknown[]): Chunk };
  readonly INTEGER: unknown;
}

interface Instance {
  connect(): Promise<Connection>;
  closeSync(): void;
}

interface Connection {
  run(sql: string): Promise<unknown>;
  stream(sql: string): Promise<{ fetchChunk(): Promise<Chunk | null> }>;
  createAppender(table: string): Promise<{ appendDataChunk(chunk: Chunk): void; flushSync(): void; closeSync(): void }>;
  prepare(sql: string): Promise<Prepared>;
  closeSync(): void;
}

interface Prepared {
  bindInteger(parameter: number, value: number): void;
  run(): Promise<{ getRows(): Promise<(number | null)[][]> }>;
}

interface Chunk {
  rowCount: number;
  getColumnVector(column: number): { readonly items: Int32Array; flush(): void };
}

const SETS = `FROM events WHERE kind = ${KINDS.set_entry.id} AND a = $1`;

/** DuckDB: columns handed to its appender chunk by chunk; with `sync` a flush, and so a transaction, a batch. */
export const duckdb: LogContestant = {
  async open(folder, _history, sync) {
    const { DuckDBDataChunk, INTEGER } = library();
    const { connection, close } = await connect(folder);
    const columns = ['seq', ...COLUMNS];
    await connection.run(`CREATE TABLE events (${columns.map((name) => `${name} INTEGER`).join(', ')})`);
    const appender = await connection.createAppender('events');
    const chunk = DuckDBDataChunk.create(columns.map(() => INTEGER));
    const seqs = new Int32Array(BATCH);
    return {
      append(batch, seq) {
        const { length } = batch;
        for (let i = 0; i < length; i++) seqs[i] = seq + i;
        chunk.rowCount = length;
        for (const [column, name] of columns.entries()) {
          const vector = chunk.getColumnVector(column);
          vector.items.set((name === 'seq' ? seqs : batch[name as (typeof COLUMNS)[number]]).subarray(0, length));
          vector.flush();
        }
        appender.appendDataChunk(chunk);
        if (sync) appender.flushSync();
      },
      flush: () => appender.flushSync(),
      close() {
        appender.closeSync();
        close();
      },
    };
  },

  async scan(folder, seen) {
    const { connection, close } = await connect(folder);
    const result = await connection.stream('SELECT * FROM events');
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      const columns = Array.from({ length: 1 + COLUMNS.length }, (_, column) => chunk.getColumnVector(column).items);
      const [seq, kind, a, d] = [columns[0]!, columns[1]!, columns[4]!, columns[7]!];
      for (let i = 0; i < chunk.rowCount; i++) seen.event(seq[i]!, kind[i]!, a[i]!, d[i]!);
    }
    close();
  },

  async ask(folder) {
    const { connection, close } = await connect(folder);
    await connection.run('CREATE INDEX IF NOT EXISTS sets ON events (a)');
    const last = await connection.prepare(`SELECT max(seq) ${SETS}`);
    const all = await connection.prepare(`SELECT seq ${SETS} ORDER BY seq`);
    const rows = async (statement: Prepared, pfn: number): Promise<(number | null)[][]> => {
      statement.bindInteger(1, pfn);
      return (await statement.run()).getRows();
    };
    return {
      setBy: async (pfn) => (await rows(last, pfn))[0]![0] ?? -1,
      eventsOf: async (pfn) => (await rows(all, pfn)).map(([seq]) => seq!),
      close,
    };
  },
};

function library(): DuckDb {
  return foreign('@duckdb/node-api') as DuckDb;
}

async function connect(folder: string): Promise<{ connection: Connection; close: () => void }> {
  const instance = await library().DuckDBInstance.create(join(folder, 'events.duckdb'));
  const connection = await instance.connect();
  const close = (): void => {
    connection.closeSync();
    instance.closeSync();
  };
  return { connection, close };
}
