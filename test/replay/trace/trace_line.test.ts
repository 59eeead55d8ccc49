import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../../events/index.js';
import { NameTable } from '../../../replay/trace/name_table.js';
import {
  ArgKey,
  entryOf,
  isReturn,
  KNOWN_EVENTS,
  PROBES_END,
  TraceEvent,
  TraceLine,
  TraceNames,
} from '../../../replay/trace/trace_line.js';
import { bytesOf } from './trace_lines.js';

describe('TraceEvent', () => {
  it('numbers the events from 0 on without a gap, and the tables begin with them', () => {
    expect(Object.values(TraceEvent)).toEqual(Array.from({ length: KNOWN_EVENTS }, (_, id) => id));
    const names = new TraceNames();
    for (const [name, id] of Object.entries(TraceEvent)) expect(names.events.name(id)).toBe(name);
  });

  it('has the return of each probed function right behind its entry', () => {
    for (const [name, id] of Object.entries(TraceEvent)) {
      const isRet = name.endsWith('_ret');
      expect(isReturn(id)).toBe(isRet);
      if (id < PROBES_END) expect(Object.keys(TraceEvent)[entryOf(id)]).toBe(isRet ? name.slice(0, -4) : name);
    }
    expect(() => entryOf(TraceEvent.xen_mmu_set_pte)).toThrow(AssertionError);
  });
});

describe('ArgKey', () => {
  it('numbers the keys from 0 on without a gap', () => {
    expect(Object.values(ArgKey)).toEqual(Object.values(ArgKey).map((_, id) => id));
  });
});

describe('TraceLine', () => {
  function lineWith(hi: number, lo: number): TraceLine {
    const line = new TraceLine();
    line.hi[ArgKey.ret] = hi;
    line.lo[ArgKey.ret] = lo;
    line.args = 1 << ArgKey.ret;
    return line;
  }

  it('tells a return value as a signed number, however wide it was printed', () => {
    expect(lineWith(0xffff_ffff, 0xffff_fff4).int(ArgKey.ret)).toBe(-12);
    expect(lineWith(0, 0xffff_fff4).int(ArgKey.ret)).toBe(-12);
    expect(lineWith(0, 1).int(ArgKey.ret)).toBe(1);
  });

  it('tells an argument as number and hexadecimal', () => {
    expect(lineWith(0x10, 0xab).number(ArgKey.ret)).toBe(0x10_0000_00ab);
    expect(lineWith(0x10, 0xab).hex(ArgKey.ret)).toBe('0x10000000ab');
    expect(lineWith(0, 0xab).hex(ArgKey.ret)).toBe('0xab');
    expect(lineWith(0, 0).has(ArgKey.ret)).toBe(true);
    expect(lineWith(0, 0).has(ArgKey.pfn)).toBe(false);
  });

  it('compares times by all that was printed', () => {
    const time = { timeHi: 0, timeLo: 87, timeFraction: 5, timeDigits: 1 };
    const line = Object.assign(new TraceLine(), time);
    expect(line.sameTime(time)).toBe(true);
    for (const field of ['timeHi', 'timeLo', 'timeFraction', 'timeDigits'] as const) {
      expect(line.sameTime({ ...time, [field]: time[field] + 1 })).toBe(false);
    }
  });
});

describe('NameTable', () => {
  it('gives a name the same id wherever its bytes stand, and others others', () => {
    const table = new NameTable(['first', '']);
    const bytes = bytesOf('--first----');
    expect(table.find(bytes, 2, 7)).toBe(0);
    expect(table.find(bytes, 0, 0)).toBe(1);
    expect(table.find(bytes, 2, 6)).toBe(-1);
    expect(table.intern(bytes, 2, 6)).toBe(2);
    expect(table.name(2)).toBe('firs');
    expect(table.name(3)).toBeUndefined();
  });

  it('keeps ten thousand names apart', () => {
    const table = new NameTable();
    const names = Array.from({ length: 10_000 }, (_, i) => bytesOf(`task-${i}`));
    names.forEach((name, id) => expect(table.intern(name, 0, name.length)).toBe(id));
    names.forEach((name, id) => expect(table.find(name, 0, name.length)).toBe(id));
    expect(table.size).toBe(10_000);
  });
});
