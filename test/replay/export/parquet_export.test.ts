import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { fieldsOf, viewEvent, type P2mEvent, type StoredLog } from '../../../events/index.js';
import { logOfEvents, type Told } from '../audit/logs.js';
import { exported, exploredLog, IDENTITY_RACE } from './exported.js';

type Row = Readonly<Record<string, unknown>>;

async function rowsOf(log: StoredLog): Promise<Row[]> {
  const { bytes } = exported(log, 'parquet');
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  return parquetReadObjects({ file });
}

/** The event that a row tells of, made anew of its columns. */
function eventOf(row: Row): P2mEvent {
  const kind = row.kind as P2mEvent['kind'];
  const fields = fieldsOf(kind).map(({ name, type }) => [name, fieldOf(row, name, type)]);
  return { seq: Number(row.seq), cpu: row.cpu, op: row.op, kind, ...Object.fromEntries(fields) } as P2mEvent;
}

function fieldOf(row: Row, name: string, type: string): unknown {
  const raw = row[name];
  const hex = (value: unknown): string => `0x${BigInt.asUintN(64, value as bigint).toString(16)}`;
  const asWord = (): string => (row[`${name}_kind`] === 'fault' ? 'fault' : hex(raw));
  const asInt = (): unknown => (`${name}_int` in row ? row[`${name}_int`] : raw);
  if (type === 'word') return asWord();
  if (type === 'either') return row[`${name}_kind`] === null ? asInt() : asWord();
  if (type === 'pte')
    return row[`${name}_page`] === null
      ? 'none'
      : `${String(row[`${name}_page`])}:${row[`${name}_writable`] === true ? 'rw' : 'ro'}`;
  if (type === 'payload') {
    const runs = row.runs as readonly { count: number; entry: bigint; stride: number }[];
    return runs.map(({ count, entry, stride }) => [count, hex(entry), stride]);
  }
  if (type === 'int') return ['old', 'new', 'value'].includes(name) ? row[`${name}_int`] : raw;
  return typeof raw === 'bigint' ? Number(raw) : raw;
}

function eventsOf(log: StoredLog): P2mEvent[] {
  return Array.from({ length: log.events }, (_, seq) => {
    const block = log.blockOf(seq);
    return viewEvent(log.read(block), seq - log.seqOf(block), log.codec, seq);
  });
}

const TOLD: readonly Told[] = [
  { cpu: 3, op: 0, kind: 'task', pid: 42, comm: 'balloon' },
  { cpu: 3, op: 7, kind: 'origin', clock: 'ns', time: 2 ** 52 + 1, around: 'decrease_reservation', line: 12 },
  {
    cpu: 3,
    op: 7,
    kind: 'call',
    operation: 'set_phys_to_machine',
    pfn: 2 ** 40,
    value: '0x8000000000000007',
    origin: 12,
  },
  { cpu: 3, op: 7, kind: 'set_entry', pfn: 5, page: 9, old: '0xffffffffffffffff', new: '0xc000000000000007' },
  {
    cpu: 3,
    op: 7,
    kind: 'wipe_page',
    page: 9,
    old: [
      [3, '0x7fffffffffffffff', -1],
      [1, '0x0', 0],
    ],
  },
  { cpu: 3, op: 7, kind: 'set_grant', slot: 1, field: 5, old: '0x4d', new: 'fault' },
  { cpu: 3, op: 7, kind: 'set_grant', slot: 1, field: 2, old: -1, new: -2147483648 },
  { cpu: 3, op: 7, kind: 'set_pte', pfn: 5, page: 3, old: 'none', new: '12:ro' },
  { cpu: 3, op: 7, kind: 'return', operation: 'set_phys_to_machine', result: 'bool', value: 1 },
  { cpu: 3, op: 0, kind: 'bug', bug: 'beyond-size', pfn: 1 },
];

describe('exportParquet', () => {
  it('gives every event of a race back', async () => {
    const { log } = exploredLog({ kernel: '3.19', ...IDENTITY_RACE });
    expect((await rowsOf(log)).map(eventOf)).toEqual(eventsOf(log));
  });

  it('gives odd values back, and none but the log’s', async () => {
    const log = logOfEvents(TOLD);
    const rows = await rowsOf(log);
    expect(rows.map(eventOf)).toEqual(eventsOf(log));
    // Whoever compares sees a bit that is not the same.
    expect(eventOf({ ...rows[3]!, new: 1n })).not.toEqual(eventsOf(log)[3]);
  });

  it('tells in all rows of an operation whose it is and when it began', async () => {
    const rows = await rowsOf(logOfEvents(TOLD));
    const inOperation = rows.slice(2, 9);
    for (const row of inOperation) {
      expect(row).toMatchObject({
        operation: 'set_phys_to_machine',
        pid: 42,
        comm: 'balloon',
        clock: 'ns',
        time: 2n ** 52n + 1n,
      });
    }
    expect(rows[9]).toMatchObject({ operation: null, pid: null, time: null });
  });

  it('says of an entry what it is', async () => {
    const [, , call, set] = await rowsOf(logOfEvents(TOLD));
    expect(call).toMatchObject({ value: 0x8000000000000007n, value_kind: 'foreign', value_frame: 7n });
    expect(set).toMatchObject({ old_kind: 'missing', old_frame: null, new_kind: 'foreign_identity', new_frame: 7n });
  });
});
