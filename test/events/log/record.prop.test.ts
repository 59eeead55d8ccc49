import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { badByte, handlesIn, isHandle, isPlain, payloadColumnOf } from '../../../events/log/record.js';
import { FAULT, INVALID, KINDS, NAMES, Result } from '../../../events/index.js';

/** Numbers at which some column begins or ends to be in order. */
const EDGES = [
  0,
  1,
  NAMES.operation.length,
  NAMES.result.length,
  Result.word,
  2 ** 21,
  FAULT,
  2 ** 30,
  0x7fff_ffff,
  -0x8000_0000,
];
const word = fc.oneof(
  fc.constantFrom(...EDGES.flatMap((edge) => [edge - 1, edge, edge + 1].map((near) => near | 0))),
  fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  fc.constant(0),
);
const envelope = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.constantFrom(KINDS.set_entry.id, KINDS.call.id, KINDS.return.id).map((kind) => kind | 0x300),
  },
  { weight: 1, arbitrary: fc.oneof(word, fc.nat(255)) },
);
const record = fc.tuple(envelope, word, word, word, word, word, word, fc.oneof(fc.constant(0), word));

describe('isPlain', () => {
  it('says yes to no record that something is wrong with, or that names a wide value or a payload', () => {
    let plain = 0;
    fc.assert(
      fc.property(record, (columns) => {
        const words = Int32Array.from([9, ...columns]);
        if (!isPlain(...columns)) return;
        plain++;
        expect([badByte(words, 1), handlesIn(words, 1), payloadColumnOf(words[1]! & 0xff)]).toEqual([-1, 0, -1]);
      }),
      { numRuns: 20_000 },
    );
    expect(plain).toBeGreaterThan(200);
  });

  it.each([
    ['a set_entry', [KINDS.set_entry.id, 7, 0x7fff_ffff, 0x3fff_ffff, INVALID, -1, 0, 0]],
    ['a call', [KINDS.call.id | 0xff00, 7, NAMES.operation.length - 1, -1, 2 ** 21 - 1, FAULT, -5, 0]],
    ['a return of a number', [KINDS.return.id, 7, 0, Result.word === 0 ? 1 : 0, 1, 0, 0, 0]],
    ['a return of a word', [KINDS.return.id, 7, 0, Result.word, 2 ** 30, 0, 0, 0]],
  ] as const)('says yes to %s with operands at their bounds', (_, [env, op, a, b, c, d, e, tail]) => {
    expect(isPlain(env, op, a, b, c, d, e, tail)).toBe(true);
  });
});

describe('isHandle', () => {
  it('is told by tag 00 of a word that is neither INVALID nor a fault', () => {
    fc.assert(
      fc.property(word, (value) => {
        expect(isHandle(value)).toBe(value >>> 30 === 0 && value !== INVALID && value !== FAULT);
      }),
    );
  });
});
