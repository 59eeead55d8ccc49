import { describe, expect, it } from 'vitest';
import { INVALID, mfnWord } from '../../../events/index.js';
import { checkLogRegisters, NO_RETURN, type LogRegisterReport } from '../../../replay/index.js';
import { exploredLog, IDENTITY_RACE } from '../export/exported.js';
import { firstWord, RegisterLog } from './register_log.js';

const A = mfnWord(5);
const B = mfnWord(6);

/** The report on what is told behind the boot. */
function checked(tell: (told: RegisterLog) => void): LogRegisterReport {
  const told = new RegisterLog();
  tell(told);
  return checkLogRegisters(told.log());
}
const verdict = (tell: (told: RegisterLog) => void): string => checked(tell).verdict;

describe('checkLogRegisters', () => {
  it('blames a stale look-up and the set that it ignores, by number and events', () => {
    const told = new RegisterLog();
    told.set(1, A);
    const set = told.set(1, B);
    told.lookUp(2, firstWord(2));
    const call = told.seq;
    const read = told.lookUp(1, A);
    expect(checkLogRegisters(told.log())).toEqual({
      verdict: 'violated',
      operations: 4,
      pfns: 2,
      violations: [
        {
          pfn: 1,
          initial: firstWord(1),
          guilty: [
            { op: set, call: call - 4, end: call - 3 },
            { op: read, call, end: call + 1 },
          ],
        },
      ],
      violatedPfns: 1,
      unknown: [],
    });
  });

  it('begins with what the boot left', () => {
    expect(verdict((told) => told.lookUp(3, firstWord(3)))).toBe('ok');
    expect(verdict((told) => told.lookUp(3, firstWord(4)))).toBe('violated');
  });

  it('lets two open sets of one value be seen one after the other', () => {
    const told = new RegisterLog();
    const first = told.call('set_phys_to_machine', 1, A);
    const second = told.call('set_phys_to_machine', 1, A);
    told.lookUp(1, A);
    told.returned(first, 'set_phys_to_machine', 'bool', 1);
    told.set(1, B);
    told.lookUp(1, B);
    told.lookUp(1, A);
    told.returned(second, 'set_phys_to_machine', 'bool', 1);
    expect(checkLogRegisters(told.log()).verdict).toBe('ok');
    told.set(1, B);
    told.lookUp(1, A);
    expect(checkLogRegisters(told.log()).verdict).toBe('violated');
  });

  it('takes a set that returned false for none, unless it has stored', () => {
    const failed = (stores: boolean) => (told: RegisterLog) => {
      const op = told.call('__set_phys_to_machine', 1, A);
      if (stores) told.store(op, 1, A);
      told.returned(op, '__set_phys_to_machine', 'bool', 0);
      told.lookUp(1, A);
    };
    expect(verdict(failed(false))).toBe('violated');
    expect(verdict(failed(true))).toBe('ok');
  });

  it('lets a set that never returned take effect at any time, or not', () => {
    const told = new RegisterLog();
    const call = told.seq;
    const op = told.call('set_phys_to_machine', 1, A);
    told.lookUp(1, firstWord(1));
    told.lookUp(1, A);
    expect(checkLogRegisters(told.log()).verdict).toBe('ok');
    told.lookUp(1, firstWord(1));
    const { violations } = checkLogRegisters(told.log());
    expect(violations[0]!.guilty[0]).toEqual({ op, call, end: NO_RETURN });
    expect(violations[0]!.guilty).toHaveLength(3);
  });

  it('takes what an assertion or a fault cut off for undecided, and a look-up that it cut off for nothing', () => {
    for (const result of ['bug', 'fault'] as const) {
      for (const seen of [A, firstWord(1)]) {
        const told = new RegisterLog();
        told.returned(told.call('set_phys_to_machine', 1, A), 'set_phys_to_machine', result, 0);
        told.returned(told.call('__pfn_to_mfn', 1), '__pfn_to_mfn', result, 0);
        told.lookUp(1, seen);
        expect(checkLogRegisters(told.log()).verdict).toBe('ok');
      }
    }
  });

  it('knows of pfn_to_mfn that it leaves the indicator bits out', () => {
    const foreign = new RegisterLog().codec.foreignOf(A);
    const seen = (word: number, operation: 'pfn_to_mfn' | '__pfn_to_mfn') => (told: RegisterLog) => {
      told.set(1, foreign);
      told.lookUp(1, word, operation);
    };
    expect(verdict(seen(A, 'pfn_to_mfn'))).toBe('ok');
    expect(verdict(seen(A, '__pfn_to_mfn'))).toBe('violated');
    expect(verdict(seen(B, 'pfn_to_mfn'))).toBe('violated');
  });

  it('takes what a balloon stores for writes within its call', () => {
    const ballooned = (late: number) => (told: RegisterLog) => {
      const op = told.call('decrease_reservation', 1);
      told.lookUp(2, INVALID);
      told.store(op, 1, INVALID);
      told.store(op, 2, INVALID);
      told.returned(op, 'decrease_reservation', 'count', 2);
      told.lookUp(1, late);
    };
    expect(verdict(ballooned(INVALID))).toBe('ok');
    expect(verdict(ballooned(firstWord(1)))).toBe('violated');
  });

  it('takes a range that becomes identity for a write to each pfn that is looked up', () => {
    const identified = (pfn: number, seen: number) => (told: RegisterLog) => {
      told.lookUp(pfn, firstWord(pfn));
      const op = told.call('set_phys_range_identity', 4);
      told.identify(op, 4, 8);
      told.returned(op, 'set_phys_range_identity', 'count', 4);
      told.lookUp(pfn, seen);
    };
    const { codec } = new RegisterLog();
    expect(checked(identified(7, codec.identityOf(7)))).toMatchObject({ verdict: 'ok', operations: 3, pfns: 1 });
    expect(verdict(identified(7, firstWord(7)))).toBe('violated');
    expect(verdict(identified(8, firstWord(8)))).toBe('ok');
  });

  it('takes a set beyond the list for no write', () => {
    for (const pfn of [2 ** 31 + 5, 2 ** 40]) {
      const { codec } = new RegisterLog();
      const seen = (word: number) => (told: RegisterLog) => {
        told.set(pfn, INVALID);
        told.lookUp(pfn, word);
      };
      expect(checked(seen(codec.identityOf(pfn)))).toMatchObject({ verdict: 'ok', operations: 1, pfns: 1 });
      expect(verdict(seen(INVALID))).toBe('violated');
    }
  });

  it('makes the registers anew with the list', () => {
    const told = new RegisterLog();
    told.set(1, A);
    told.returned(told.call('setup', 0), 'setup', 'void', 0);
    // Nothing was stored in the memory: it still holds what it held at first.
    told.lookUp(1, firstWord(1));
    expect(checkLogRegisters(told.log())).toMatchObject({ verdict: 'ok', operations: 2, pfns: 2 });
  });

  it('tells violations by ascending pfn, as many as are asked for, and counts all', () => {
    const told = new RegisterLog();
    for (const pfn of [9, 2, 30, 5]) told.lookUp(pfn, A);
    const report = checkLogRegisters(told.log(), { violationsMax: 3 });
    expect(report.violations.map(({ pfn }) => pfn)).toEqual([2, 5, 9]);
    expect(report.violatedPfns).toBe(4);
  });

  it('gives no verdict where the steps run out, and goes on with the next pfn', () => {
    const told = new RegisterLog();
    const sets = Array.from({ length: 40 }, (_, i) => told.call('set_phys_to_machine', 1, mfnWord(i)));
    const reads = sets.map(() => told.call('__pfn_to_mfn', 1));
    reads.forEach((op, i) => told.returned(op, '__pfn_to_mfn', 'word', mfnWord(i)));
    expect(checkLogRegisters(told.log(), { stepsMax: 1000 })).toMatchObject({ verdict: 'unknown', unknown: [1] });
    told.lookUp(2, A);
    expect(checkLogRegisters(told.log(), { stepsMax: 1000 })).toMatchObject({ verdict: 'violated', unknown: [1] });
  });

  it('takes more operations at a time than a mask has bits', () => {
    const told = new RegisterLog();
    const sets = Array.from({ length: 70 }, () => told.call('set_phys_to_machine', 1, A));
    told.lookUp(1, A);
    for (const op of sets) told.returned(op, 'set_phys_to_machine', 'bool', 1);
    told.lookUp(1, A);
    expect(checkLogRegisters(told.log()).verdict).toBe('ok');
    told.lookUp(1, B);
    expect(checkLogRegisters(told.log()).verdict).toBe('violated');
  });

  it('refuses a log in which an operation begins twice', () => {
    const told = new RegisterLog();
    const op = told.call('__pfn_to_mfn', 1);
    told.batch.push(told.batch.kind[told.seq - 1]!, 1, op, told.batch.a[told.seq - 1], 1);
    expect(() => checkLogRegisters(told.log())).toThrow(`an operation begins twice: got operation ${op}`);
  });

  it.each([
    ['3.19', 'violated'],
    ['7.0', 'ok'],
  ])('gives the log of an explored race on %s the verdict of the explorer: %s', (kernel, wanted) => {
    const explored = exploredLog({ kernel, ...IDENTITY_RACE });
    expect(explored.verdict).toBe(wanted);
    expect(checkLogRegisters(explored.log).verdict).toBe(wanted);
  });

  it('stays quick where one pfn is always in use', () => {
    const told = new RegisterLog();
    const threads = Array.from({ length: 8 }, () => ({ op: 0, isSet: false, word: 0, phase: 0 }));
    let random = 1;
    const next = (): number => (random = (Math.imul(random, 0x5bd1e995) + 0x3c6ef35f) >>> 0) >>> 8;
    let word = firstWord(1);
    for (let step = 0; step < 300_000; step++) {
      const thread = threads[next() % 8]!;
      const name = thread.isSet ? 'set_phys_to_machine' : '__pfn_to_mfn';
      if (thread.phase === 0) {
        thread.isSet = next() % 2 === 0;
        thread.word = next() % 3 === 0 ? INVALID : mfnWord(next());
        thread.op = told.call(thread.isSet ? 'set_phys_to_machine' : '__pfn_to_mfn', 1, thread.word);
      } else if (thread.phase === 1) {
        if (thread.isSet) word = thread.word;
        else thread.word = word;
      } else if (thread.isSet) told.returned(thread.op, name, 'bool', 1);
      else told.returned(thread.op, name, 'word', thread.word);
      thread.phase = (thread.phase + 1) % 3;
    }
    // A few states an operation: were they to pile up, this would run out at once.
    expect(checkLogRegisters(told.log(), { stepsMax: 3_000_000 })).toMatchObject({ verdict: 'ok', pfns: 1 });
  });
});
