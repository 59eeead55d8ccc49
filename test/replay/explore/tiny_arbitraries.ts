import fc from 'fast-check';
import type { Instruction } from './tiny_program.js';

const word = fc.nat(2);
const instruction: fc.Arbitrary<Instruction> = fc.oneof(
  fc.tuple(fc.constantFrom('load', 'store', 'lock', 'unlock'), word),
  fc.tuple(fc.constant('put'), word, fc.nat(2)),
  fc.tuple(fc.constant('add'), fc.nat(2)),
  fc.tuple(fc.constant('fail'), fc.nat(3)),
  fc.tuple(fc.constant('skip'), fc.nat(1), fc.integer({ min: 1, max: 3 })),
);

/** Threads of a `TinyProgram` over three words. */
export function tinyThreads(threadsMax: number, lengthMax: number): fc.Arbitrary<Instruction[][]> {
  return fc.array(fc.array(instruction, { maxLength: lengthMax }), { minLength: 1, maxLength: threadsMax });
}
