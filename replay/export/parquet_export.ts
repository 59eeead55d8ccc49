import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { ParquetWriter } from 'hyparquet-writer/src/parquet-writer.js';
import {
  Clock,
  CLOCKS,
  kindAt,
  Operation,
  OPERATIONS,
  type ByteSink,
  type EventBatch,
  type StoredLog,
} from '../../events/index.js';
import { Column, EventColumns } from './parquet_columns.js';
import { OperationTracker, type TrackedOperation } from './operation_tracker.js';

/** Rows of a row group: all that is in memory at a time, and what DuckDB gives a thread. */
const GROUP_ROWS = 122_880;

/**
 * Writes the log as a Parquet file: a row an event, a typed column each thing that events say (docs/exports.md). What is
 * told of an operation once (its task, when it began, its name) stands in the rows of all its events. Memory is that of
 * one row group, and the directory of the file.
 *
 * Gives the number of rows.
 */
export function exportParquet(log: StoredLog, sink: ByteSink): number {
  const file = new EventFile(log, sink);
  for (let block = 0; block < log.blocks; block++) file.append(log.read(block), log.seqOf(block));
  file.end();
  return log.events;
}

/** Hands on what it has been given after each row group, as the writer asks it to. */
class SinkWriter extends ByteWriter {
  readonly #sink: ByteSink;

  constructor(sink: ByteSink) {
    super(1 << 20);
    this.#sink = sink;
  }

  flush(): void {
    if (this.index > 0) this.#sink(this.getBytes());
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}

/** The columns in front: of each event, then of its operation. All others come in the order of the kinds. */
const FRONT = [
  ['seq', 'int64'],
  ['cpu', 'int32'],
  ['op', 'int32'],
  ['kind', 'string'],
  ['operation', 'string'],
  ['pid', 'int32'],
  ['comm', 'string'],
  ['clock', 'string'],
  ['time', 'int64'],
  ['around', 'string'],
  ['line', 'int32'],
  ['origin', 'int32'],
] as const;

class EventFile {
  readonly #columns: EventColumns;
  /** The values of the columns in front, by name. */
  readonly #front: Readonly<Record<(typeof FRONT)[number][0], unknown[]>>;
  readonly #writer: ParquetWriter;
  readonly #tracker = new OperationTracker();
  #rows = 0;

  constructor({ codec, header }: StoredLog, sink: ByteSink) {
    this.#columns = new EventColumns(
      codec,
      FRONT.map(([name, type]) => new Column(name, type)),
    );
    this.#front = Object.fromEntries(
      FRONT.map(([name, type]) => [name, this.#columns.add(name, type).values]),
    ) as Record<(typeof FRONT)[number][0], unknown[]>;
    const { all } = this.#columns;
    this.#writer = new ParquetWriter({
      writer: new SinkWriter(sink),
      schema: [{ name: 'events', num_children: all.length }, ...all.flatMap(({ schema }) => schema)],
      kvMetadata: [{ key: 'p2m-events', value: JSON.stringify(header) }],
      createdBy: 'xen-p2m',
    });
    this.#clear();
  }

  append(batch: EventBatch, seq: number): void {
    for (let i = 0; i < batch.length; i++) {
      this.#row(batch, i, seq + i);
      if (++this.#rows === GROUP_ROWS) this.#writeGroup(GROUP_ROWS);
    }
  }

  end(): void {
    if (this.#rows > 0) this.#writeGroup(this.#rows);
    void this.#writer.finish();
  }

  #row(batch: EventBatch, i: number, seq: number): void {
    const row = this.#rows;
    const front = this.#front;
    front.seq[row] = BigInt(seq);
    front.cpu[row] = batch.cpu[i];
    front.op[row] = batch.op[i];
    front.kind[row] = kindAt(batch, i);
    const operation = this.#tracker.operationOf(batch, i, seq);
    if (operation !== undefined) this.#operation(operation, row);
    for (const fill of this.#columns.fillers[batch.kind[i]!]!) fill(batch, i, row);
  }

  #operation({ operation, task, origin, line }: TrackedOperation, row: number): void {
    const front = this.#front;
    front.operation[row] = OPERATIONS[operation];
    front.origin[row] = line;
    if (task !== undefined) {
      front.pid[row] = task.pid;
      front.comm[row] = task.comm;
    }
    if (origin === undefined) return;
    front.clock[row] = CLOCKS[origin.clock];
    if (origin.clock !== Clock.none) front.time[row] = BigInt(origin.time);
    if (origin.around !== Operation.none) front.around[row] = OPERATIONS[origin.around];
    front.line[row] = origin.line;
  }

  #writeGroup(rows: number): void {
    const columnData = this.#columns.all.map(({ name, values }) => {
      values.length = rows;
      return { name, data: values };
    });
    // The writer's flush is synchronous, and so is all of this.
    void this.#writer.write({ columnData, rowGroupSize: rows });
    this.#clear();
  }

  #clear(): void {
    this.#rows = 0;
    for (const { values } of this.#columns.all) {
      values.length = GROUP_ROWS;
      values.fill(null);
    }
  }
}
