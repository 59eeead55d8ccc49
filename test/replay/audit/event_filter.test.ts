import { describe, expect, it } from 'vitest';
import type { StoredLog } from '../../../events/index.js';
import { EventFilter, parseKinds, type EventQuestion } from '../../../replay/audit/event_filter.js';
import { LoggedOperations } from '../../../replay/audit/logged_operation.js';
import { MfnConcern } from '../../../replay/audit/mfn_concern.js';
import { PfnConcern } from '../../../replay/audit/pfn_concern.js';
import { logOfEvents, type Told } from './logs.js';

const operation = 'set_phys_to_machine';
/** Two operations of two tasks, in the middle at once; leaves of 4 entries, PT pages of 4 leaves. */
const EVENTS: readonly Told[] = [
  { cpu: 0, op: 0, kind: 'boot', nrPages: 4, entries: [[4, '0x64', 1]] }, // 0: m:100..103
  { cpu: 0, op: 0, kind: 'task', pid: 42, comm: 'balloon' }, // 1
  { cpu: 1, op: 0, kind: 'task', pid: 7, comm: 'xl dev' }, // 2
  { cpu: 0, op: 1, kind: 'call', operation, pfn: 9, value: '0x4d', origin: 0 }, // 3
  { cpu: 1, op: 2, kind: 'call', operation: 'get_phys_to_machine', pfn: 40, value: '0x1', origin: 0 }, // 4
  { cpu: 0, op: 1, kind: 'set_pte', pfn: 8, page: 3, old: '1:ro', new: '4:rw' }, // 5: pfns 8..11
  { cpu: 0, op: 1, kind: 'set_pmd', pfn: 0, old: '1:rw', new: '3:rw' }, // 6: pfns 0..15
  { cpu: 0, op: 1, kind: 'set_entry', pfn: 9, page: 4, old: '0xffffffffffffffff', new: '0x4d' }, // 7: m:77
  { cpu: 0, op: 1, kind: 'return', operation, result: 'bool', value: 1 }, // 8
  { cpu: 1, op: 2, kind: 'look_up', pfn: 40, value: '0x800000000000004d' }, // 9: f:77
  { cpu: 1, op: 2, kind: 'return', operation: 'get_phys_to_machine', result: 'word', value: '0x800000000000004d' }, // 10
  { cpu: 1, op: 0, kind: 'identity_range', pfnStart: 20, pfnEnd: 30, old: [[10, '0xffffffffffffffff', 0]] }, // 11
];
const log = logOfEvents(EVENTS, 5);

/** Numbers of the events that pass. */
function passing(stored: StoredLog, question: EventQuestion): number[] {
  const filter = new EventFilter(question);
  const operations = new LoggedOperations();
  const seqs: number[] = [];
  for (let block = 0; block < stored.blocks; block++) {
    const batch = stored.read(block);
    for (let i = 0; i < batch.length; i++) {
      const seq = stored.seqOf(block) + i;
      if (filter.passes(batch, i, operations.note(batch, i, seq))) seqs.push(seq);
    }
  }
  return seqs;
}

const ofPfns = (start: number, end: number): number[] => passing(log, { pfns: new PfnConcern(log.header, start, end) });
const ofMfn = (mfn: number): number[] => passing(log, { mfn: new MfnConcern(log.codec, mfn) });
const ofTask = (task: string): number[] => passing(log, { task });
const ofKinds = (text: string): number[] => passing(log, { of: parseKinds(text) });

describe('EventFilter', () => {
  it('lets all pass where nothing is asked', () => {
    expect(passing(log, {})).toEqual(EVENTS.map((_, seq) => seq));
  });

  it('knows which events concern a pfn: stores, spans, ranges, calls and what they return', () => {
    expect(ofPfns(9, 10)).toEqual([3, 5, 6, 7, 8]);
    expect(ofPfns(8, 9)).toEqual([5, 6]);
    expect(ofPfns(12, 13)).toEqual([6]);
    expect(ofPfns(3, 4)).toEqual([0, 6]);
    expect(ofPfns(40, 41)).toEqual([4, 9, 10]);
    expect(ofPfns(29, 31)).toEqual([11]);
    expect(ofPfns(30, 31)).toEqual([]);
  });

  it('knows which events name a frame, own or foreign, alone or within a run', () => {
    expect(ofMfn(77)).toEqual([3, 7, 9, 10]);
    expect(ofMfn(103)).toEqual([0]);
    expect(ofMfn(104)).toEqual([]);
    expect(ofMfn(9)).toEqual([]);
  });

  it('knows the task by name, by pid, or by both', () => {
    for (const task of ['balloon', '42', 'balloon-42']) expect(ofTask(task)).toEqual([3, 5, 6, 7, 8]);
    expect(ofTask('xl dev-7')).toEqual([4, 9, 10]);
    expect(ofTask('nobody')).toEqual([]);
  });

  it('takes kinds, operations, and both', () => {
    expect(ofKinds('set_entry,look_up')).toEqual([7, 9]);
    expect(ofKinds('get_phys_to_machine')).toEqual([4, 9, 10]);
    expect(ofKinds('boot,get_phys_to_machine')).toEqual([0, 4, 9, 10]);
    expect(() => parseKinds('set_entry,nothing')).toThrow('unknown kind: got "nothing", want a kind of event');
    expect(() => parseKinds('none')).toThrow('unknown kind');
  });

  it('takes CPUs, and all questions together', () => {
    expect(passing(log, { cpus: new Set([1]) })).toEqual([2, 4, 9, 10, 11]);
    expect(passing(log, { cpus: new Set([0]), mfn: new MfnConcern(log.codec, 77), of: parseKinds('call') })).toEqual([
      3,
    ]);
  });
});
