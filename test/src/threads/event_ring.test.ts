import { describe, expect, test } from 'vitest';
import { EventBatch, KINDS } from '../../../events/index.js';
import { Control, controlBytes, EventRing, RingMerge, ROW_INTS, ThreadWord, threadWords } from '../../../src/index.js';

const LOOK_UP = KINDS.look_up.id;

function rings(threads: number, rows: number, next = 0) {
  const control = new Int32Array(new SharedArrayBuffer(controlBytes(threads)));
  control[Control.next] = next;
  const buffers = Array.from({ length: threads }, () => new Int32Array(new SharedArrayBuffer(rows * ROW_INTS * 4)));
  const merge = new RingMerge(control, buffers);
  return { control, merge, rings: buffers.map((buffer, thread) => new EventRing(control, buffer, thread)) };
}

function record(ring: EventRing, value: number): void {
  ring.reserve();
  ring.put(LOOK_UP, 1, 0, value, 0, 0, 0, 0);
  ring.publish();
}

function drained(merge: RingMerge, max = 100): number[] {
  const batch = new EventBatch();
  merge.drain(batch, max);
  return [...batch.a.subarray(0, batch.length)];
}

describe('RingMerge', () => {
  test('takes the events of all threads in the order of their numbers', () => {
    const { merge, rings: list } = rings(3, 16);
    [2, 0, 0, 1, 2, 1, 0].forEach((thread, value) => record(list[thread]!, value));
    expect(drained(merge)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(merge.events).toBe(7);
  });

  test('waits for a number that a living thread has in hand', () => {
    const { merge, rings: list } = rings(2, 16);
    list[0]!.put(LOOK_UP, 0, 0, 10, 0, 0, 0, 0);
    record(list[1]!, 11);
    expect(drained(merge)).toEqual([]);
    expect(merge.isDrained).toBe(false);
    list[0]!.publish();
    expect(drained(merge)).toEqual([10, 11]);
  });

  test('passes over the number of a dead thread, and never over one that a living thread may have', () => {
    const { control, merge, rings: list } = rings(3, 16);
    list[0]!.put(LOOK_UP, 0, 0, 10, 0, 0, 0, 0);
    list[2]!.put(LOOK_UP, 0, 0, 11, 0, 0, 0, 0);
    record(list[1]!, 12);
    control[threadWords(0) + ThreadWord.lost] = 1;
    control[threadWords(0) + ThreadWord.dead] = 1;
    expect(drained(merge)).toEqual([]);
    list[2]!.publish();
    expect(drained(merge)).toEqual([11, 12]);
    expect(merge.isDrained).toBe(true);
  });

  test('takes no more than it is asked for, and goes on where it stopped', () => {
    const { merge, rings: list } = rings(2, 16);
    for (let value = 0; value < 10; value++) record(list[value % 2]!, value);
    expect(drained(merge, 3)).toEqual([0, 1, 2]);
    expect(drained(merge, 3)).toEqual([3, 4, 5]);
    expect(drained(merge)).toEqual([6, 7, 8, 9]);
  });

  test('counts on where the 32 bits of the numbers end', () => {
    const { merge, rings: list } = rings(2, 16, 2 ** 31 - 3);
    for (let value = 0; value < 10; value++) record(list[value % 2]!, value);
    expect(drained(merge)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('finds room again in a ring that was full, round after round', () => {
    const { merge, rings: list } = rings(1, 4);
    for (let value = 0; value < 100; value++) {
      record(list[0]!, value);
      if (value % 4 === 3) expect(drained(merge)).toEqual([value - 3, value - 2, value - 1, value]);
    }
  });
});
