import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openStoredLog } from '../../cli/stored_log.js';
import { P2mError, viewEvent, type P2mEvent, type StoredLog } from '../../events/index.js';

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
});
