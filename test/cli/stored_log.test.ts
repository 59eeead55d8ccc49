import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openStoredLog } from '../../cli/stored_log.js';
import { P2mError, SegmentedLog, viewEvent, type P2mEvent, type StoredLog } from '../../events/index.js';
import { keepLog } from '../../node/index.js';
import { bootEngine } from '../../src/library.js';
import { runP2m, temporaryFolder } from './run_p2m.js';

const HOLD = 'test/recordings/k61-512M-hold';
const EARLY = 'test/recordings/k61-516M-earlyboot';
const LINE = /^ *(.+)-(\d+) +\[(\d+)\] \S+ +(\d+)\.(\d+): (\w+): /;

/** What the log says of one operation. */
interface Operation {
  readonly task: string;
  readonly cpu: number;
  readonly time: number | undefined;
  readonly name: string;
}

function eventsOf(log: StoredLog): P2mEvent[] {
  return Array.from({ length: log.blocks }, (_, block) => {
    const batch = log.read(block);
    return Array.from({ length: batch.length }, (_, i) => viewEvent(batch, i, log.codec, log.seqOf(block) + i));
  }).flat();
}

/** Operations that come from lines, by line. */
function operationsOf(events: readonly P2mEvent[]): Map<number, Operation> {
  const tasks = new Map<number, string>();
  const times = new Map<number, number>();
  const operations = new Map<number, Operation>();
  for (const event of events) {
    const { cpu, op } = event;
    if (event.kind === 'task') tasks.set(cpu, `${event.comm}-${event.pid}`);
    if (event.kind === 'origin') times.set(op, event.time);
    if (event.kind !== 'call' || event.origin === 0) continue;
    const { operation: name, origin } = event;
    operations.set(origin, { task: tasks.get(cpu) ?? '?', cpu, time: times.get(op), name });
  }
  return operations;
}

/** The log of an engine that is still open, in a file. */
async function openLogFile(): Promise<{ path: string; bytes: Buffer; events: number }> {
  const path = join(temporaryFolder(), 'run.p2mlog');
  const engine = bootEngine({ nrPages: 64, geometry: 'tiny', log: keepLog(path) });
  await engine.flush();
  const events = engine.appended;
  const bytes = readFileSync(path);
  await engine.close();
  writeFileSync(path, bytes);
  return { path, bytes, events };
}

/** `bytes` as a file beside `path`. */
function beside(path: string, name: string, bytes: Uint8Array): string {
  const other = join(path, '..', name);
  writeFileSync(other, bytes);
  return other;
}

describe('openStoredLog', () => {
  it('has of each call of a recording the task, CPU and time that its line has', async () => {
    const operations = operationsOf(eventsOf(await openStoredLog(HOLD)));
    const lines = gunzipSync(readFileSync(`${HOLD}/trace.txt.gz`))
      .toString()
      .split('\n');
    const setters = [...operations.values()].filter(({ name }) => name === '__set_phys_to_machine');
    expect(setters.length).toBe(lines.filter((line) => line.includes(': __set_phys_to_machine: ')).length);
    expect(setters.length).toBeGreaterThan(0);
    const told: unknown[] = [];
    const written: unknown[] = [];
    for (const [line, operation] of operations) {
      told.push({ line, ...operation });
      const [, comm, pid, cpu, seconds, fraction, name] = LINE.exec(lines[line - 1]!)!;
      const time = Number(`${seconds}${fraction!.padEnd(9, '0')}`);
      written.push({ line, task: `${comm}-${pid}`, cpu: Number(cpu), time, name });
    }
    expect(told).toEqual(written);
  });

  it('has no task and no time where the log has none', async () => {
    const events = eventsOf(await openStoredLog(EARLY));
    expect(events.some(({ kind }) => kind === 'call')).toBe(true);
    expect(events.filter(({ kind }) => kind === 'task' || kind === 'origin')).toEqual([]);
  });

  it('asks which step of a recording of several lists is meant', async () => {
    await expect(openStoredLog(HOLD, { step: 99 })).rejects.toThrow(/no such step: got --step 99, want --step 1 \(/);
  });

  it('refuses what only a recording can be told', async () => {
    await expect(openStoredLog(`${HOLD}/trace.txt.gz`, { step: 1 })).rejects.toThrow(/only a recording has steps/);
    await expect(openStoredLog(HOLD, { init: 'a.bin' })).rejects.toThrow(P2mError);
  });

  it('reads a binary log, gzip or not, at any place', async () => {
    const { path, bytes, events } = await openLogFile();
    const plain = await openStoredLog(path);
    const packed = await openStoredLog(beside(path, 'packed.p2mlog.gz', gzipSync(bytes)));
    expect([plain.events, packed.events]).toEqual([events, events]);
    expect([plain, packed].map((log) => log instanceof SegmentedLog)).toEqual([true, true]);
    expect(eventsOf(packed)).toEqual(eventsOf(plain));
  });

  it('says that a log is open, or torn, beside what is there', async () => {
    const { path, bytes, events } = await openLogFile();
    const torn = beside(path, 'torn.p2mlog', Buffer.concat([bytes, bytes.subarray(-100)]));
    const [open, cut] = [path, torn].map((file) => runP2m(['log', file, '--json']));
    expect(open!.stderr).toBe(`note: ${path} is not closed: this is of the ${events} events so far\n`);
    expect(cut!.stderr).toBe(
      `note: ${torn} is torn from byte ${bytes.length} on: its last 100 bytes are no whole block; this is of the ${events} events before them\n`,
    );
    expect([cut!.code, cut!.stdout]).toEqual([0, open!.stdout]);
  });

  it('answers on what is there of JSON lines that are cut', async () => {
    const { path } = await openLogFile();
    const lines = `${jsonLines(await openStoredLog(path)).join('\n')}\n`;
    const whole = await openStoredLog(beside(path, 'open.jsonl', Buffer.from(lines)));
    const torn = await openStoredLog(beside(path, 'torn.jsonl', Buffer.from(lines.slice(0, -10))));
    expect(whole.end).toEqual({ kind: 'open' });
    expect(torn.end).toMatchObject({ kind: 'torn', events: whole.events - 1, place: { line: whole.events + 1 } });
    expect(eventsOf(torn)).toEqual(eventsOf(whole).slice(0, -1));
  });

  it('refuses JSON lines that are damaged in the middle', async () => {
    const { path } = await openLogFile();
    const lines = jsonLines(await openStoredLog(path));
    lines[3] = lines[3]!.slice(0, -10);
    await expect(openStoredLog(beside(path, 'bad.jsonl', Buffer.from(`${lines.join('\n')}\n`)))).rejects.toThrow(
      /bad\.jsonl:4.*not JSON/,
    );
  });
});

/** A log as JSON lines, without its end. */
function jsonLines(log: StoredLog): string[] {
  const header = { format: 'p2m-events', version: 1, ...log.header };
  return [header, ...eventsOf(log)].map((line) => JSON.stringify(line));
}
