import { describe, expect, it } from 'vitest';
import { checkHistory, History, type Scalar } from '../../../replay/index.js';

type Step = readonly ['read' | 'write', Scalar, number, number?] | readonly ['cas', [Scalar, Scalar], number, number?];

/** A history of one register: what was done, and from when to when; each operation by a process of its own. */
function historyOf(...steps: readonly Step[]): History {
  const history = new History();
  const events = steps.flatMap(([, , from, to], i) => [
    { time: from, i, ends: false },
    ...(to === undefined ? [] : [{ time: to, i, ends: true }]),
  ]);
  const operations: number[] = [];
  for (const { time, i, ends } of events.sort((a, b) => a.time - b.time)) {
    const [f, of] = steps[i]!;
    const [expected, value] = Array.isArray(of) ? of : [null, of];
    if (ends) history.complete(operations[i]!, 'ok', { time }, f === 'read' ? value : undefined);
    else
      operations[i] = history.invoke(
        { process: i, f, key: 'x', value: f === 'read' ? null : value, expected },
        { time },
      );
  }
  return history;
}

function messageOf(...steps: readonly Step[]): string {
  const { violations } = checkHistory(historyOf(...steps));
  return violations.map(({ message }) => message).join('\n');
}

describe('the words for a history without an order', () => {
  it('tell what nothing wrote', () => {
    expect(messageOf(['write', 1, 1, 2], ['read', 5, 3, 4])).toBe(
      'read 2 by process 1 (time 3..4) returned 5, which nothing wrote',
    );
  });

  it('tell what was written only later', () => {
    expect(messageOf(['read', 5, 1, 2], ['write', 5, 3, 4])).toBe(
      'read 1 by process 0 (time 1..2) returned 5, but write 2 of 5 by process 1 (time 3..4), the first to write it, ' +
        'began only after that',
    );
  });

  it('tell a stale read, of a value at first too, or of one that was written often', () => {
    expect(messageOf(['write', 7, 1, 2], ['read', null, 3, 4])).toBe(
      'read 2 by process 1 (time 3..4) returned null, but write 1 of 7 by process 0 (time 1..2) had ended before read 2 ' +
        'began, and null, the value at first, was not written again',
    );
    expect(
      messageOf(['write', 5, 1, 2], ['write', 5, 3, 4], ['write', 7, 5, 6], ['read', 5, 7, 9], ['write', 5, 10, 11]),
    ).toBe(
      'read 4 by process 3 (time 7..9) returned 5, but write 3 of 7 by process 2 (time 5..6) had ended before read 4 ' +
        'began, and each of the 2 writes of 5 that had begun by its end, the last write 2 of 5 by process 1 (time 3..4), ' +
        'had ended before write 3 began',
    );
  });

  it('tell two reads that saw two values in the opposite order', () => {
    expect(messageOf(['write', 1, 1, 2], ['write', 2, 3, 20], ['read', 2, 4, 5], ['read', 1, 6, 7])).toBe(
      'read 4 by process 3 (time 6..7) returned 1, but read 3 by process 2 (time 4..5) returned 2 and had ended before ' +
        'read 4 began, and write 1 of 1 by process 0 (time 1..2) had ended before write 2 of 2 by process 1 (time 3..20) ' +
        'began',
    );
  });

  it('tell a cas that was lost', () => {
    expect(messageOf(['write', 0, 1, 2], ['cas', [0, 1], 3, 9], ['cas', [0, 2], 4, 8])).toBe(
      'cas 2 from 0 to 1 by process 1 (time 3..9) and cas 3 from 0 to 2 by process 2 (time 4..8) each found 0 and ' +
        'replaced it, but it was there only once',
    );
  });

  it('tell two values that come before each other', () => {
    expect(
      messageOf(['write', 1, 1, 30], ['write', 2, 2, 31], ['read', 1, 3, 4], ['read', 2, 5, 6], ['read', 1, 7, 8]),
    ).toBe(
      '1 comes before 2: read 3 of 1 by process 2 (time 3..4) had ended when read 4 of 2 by process 3 (time 5..6) began; ' +
        'but 2 comes before 1: read 4 had ended when read 5 of 1 by process 4 (time 7..8) began; and each was written ' +
        'only once',
    );
  });

  it('say no more than that there is no order, where none of these is the reason', () => {
    const steps: Step[] = [
      ['write', 1, 1, 30],
      ['write', 2, 2, 31],
      ['write', 2, 3, 32],
    ];
    [1, 2, 1, 2].forEach((value, i) => steps.push(['read', value, 4 + 2 * i, 5 + 2 * i]));
    const { violations } = checkHistory(historyOf(...steps));
    const count = violations[0]!.core.length;
    expect(violations[0]!.message).toBe(
      `these ${count} operations have no order in which each takes effect at one moment between its beginning and its end`,
    );
    expect(violations[0]!.isMinimal).toBe(true);
  });
});

describe('checkHistory', () => {
  it('takes a pending write for done, where it was read, at any time after it began', () => {
    expect(messageOf(['write', 1, 1], ['read', null, 2, 3], ['read', 1, 4, 5])).toBe('');
    expect(messageOf(['write', 1, 3], ['read', 1, 1, 2])).toContain('began only after that');
    expect(messageOf(['write', 1, 1], ['read', 1, 2, 3], ['read', null, 4, 5])).not.toBe('');
  });

  it('finds the few among many, whatever their values', () => {
    const steps: Step[] = [];
    for (let i = 0; i < 3000; i++)
      steps.push(['write', i % 5, 10 * i, 10 * i + 12], ['read', i % 5, 10 * i + 13, 10 * i + 14]);
    steps.push(['read', 1, 30_100, 30_101]);
    const [violation] = checkHistory(historyOf(...steps)).violations;
    expect(violation!.core.map(({ f, value }) => [f, value])).toEqual([
      ['write', 1],
      ['write', 4],
      ['read', 1],
    ]);
    expect(violation!.isMinimal).toBe(true);
  });

  it('decides any number of writes that overlap, where each value is written once', () => {
    const writes = Array.from({ length: 200 }, (_, i): Step => ['write', i, 1 + i / 1000, 10]);
    expect(messageOf(...writes, ['read', 3, 2, 3], ['read', 4, 4, 5], ['read', 5, 11, 12])).toBe('');
    expect(messageOf(...writes, ['read', 3, 2, 3], ['read', 4, 4, 5], ['read', 3, 6, 7])).toContain('comes before');
  });

  it('finds what nothing wrote, or only later, however many operations overlap', () => {
    const writes = Array.from({ length: 60 }, (_, i): Step => ['write', i % 7, 1 + i / 1000, 10]);
    expect(messageOf(...writes, ['read', 99, 2, 3])).toContain('returned 99, which nothing wrote');
    expect(messageOf(...writes, ['cas', [99, 1], 2, 3])).toContain('found 99, which nothing wrote');
    expect(messageOf(...writes, ['read', 99, 2, 3], ['write', 99, 4, 5])).toContain('began only after that');
  });

  it('leaves a hard key open, and decides the others all the same', () => {
    const history = new History();
    const begin = (key: string, value: number): number =>
      history.invoke({ process: `${key}${history.count}`, f: 'write', key, value });
    const read = (key: string, value: number): void => {
      const operation = history.invoke({ process: 'r', f: 'read', key });
      history.complete(operation, 'ok', {}, value);
    };
    const open = Array.from({ length: 40 }, (_, i) => begin('hard', i % 20));
    open.forEach((operation) => history.complete(operation, 'ok'));
    for (const value of [0, 1, 0]) read('hard', value);
    read('easy', 1);
    const { verdict, violations, unknown } = checkHistory(history, { budget: 10_000 });
    expect([verdict, violations.map(({ key }) => key), unknown]).toEqual(['violated', ['easy'], ['hard']]);
  });
});
