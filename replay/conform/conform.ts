import { P2mError } from '../../events/index.js';
import { canonical } from './canonical.js';
import { VectorSession } from './session.js';
import type { Vector } from './vector.js';

/** A field of an `out` that is not what the kernel's code gave. */
export interface Failure {
  readonly file: string;
  readonly line: number;
  readonly op: string;
  readonly field: string;
  readonly got: string;
  readonly expected: string;
}

/** Runs a vector on one of the memories and compares every field of every `out`; no failure is left out. */
export function conform(vector: Vector, memory: 'paged' | 'flat'): Failure[] {
  const failures: Failure[] = [];
  const session = new VectorSession(vector, memory);
  for (const { line, op, out } of vector.lines) {
    let got: Record<string, unknown>;
    try {
      got = session.run(op);
    } catch (error) {
      // What the model cannot hold ends the vector: no later line would mean anything.
      if (!(error instanceof P2mError)) throw error;
      failures.push({ file: vector.file, line, op: op.op, field: '-', got: error.message, expected: 'a run' });
      return failures;
    }
    for (const field of new Set([...Object.keys(out), ...Object.keys(got)])) {
      const g = canonical(got[field]);
      const e = canonical(out[field]);
      if (g !== e) failures.push({ file: vector.file, line, op: op.op, field, got: g, expected: e });
    }
  }
  return failures;
}
