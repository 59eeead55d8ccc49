import { boundLookUp, formByKernel, lookUp, lookUpRange, type DomainOptions, type Memory } from '../../src/index.js';
import type { Work } from '../contest.js';
import { bootedDomain } from './domains.js';

/** Warm-up: calls, each of a few look-ups. */
const WARM_UPS = 2000;
const FEW = 256;
/** Words of a buffer that is looked up at a time, as in c/look_up.c. */
const BUFFER = 2048;
/** Pfns in a random sequence at most. */
const SEQUENCE_MAX = 2 ** 20;

/** Which look-up is made: in which order, by a function bound to the memory or by `lookUp`, and of what. */
export interface LookUpPlan {
  readonly order: 'in order' | 'at random';
  readonly by: 'bound' | 'memory';
  readonly structure: 'flat' | 'paged' | 'tree';
}

/** Look-ups as they are planned, in a list of 2^`log2Entries` populated entries. */
export function lookUps({ order, by, structure }: LookUpPlan, log2Entries: number, passes: number): Work {
  const options = structure === 'tree' ? OLD_TREE : { memory: structure };
  if (by === 'bound') {
    return (order === 'in order' ? boundSequentialLookUps : boundRandomLookUps)(log2Entries, passes, options);
  }
  return (order === 'in order' ? sequentialLookUps : randomLookUps)(log2Entries, passes, options);
}

/** The public look-up, on a list of 2^`log2Entries` populated entries, from its first to its last. */
function sequentialLookUps(log2Entries: number, passes: number, options: Partial<DomainOptions>): Work {
  const entries = 2 ** log2Entries;
  const memory = populated(entries, options);
  return {
    run() {
      let check = 0;
      for (let i = 0; i < passes; i++) check = (check + sumInOrder(memory, entries)) | 0;
      return { count: entries * passes, check };
    },
  };
}

/** The same, in a random order that C walks too. */
function randomLookUps(log2Entries: number, passes: number, options: Partial<DomainOptions>): Work {
  const entries = 2 ** log2Entries;
  const memory = populated(entries, options);
  const pfns = pfnSequence(entries, Math.min(entries, SEQUENCE_MAX));
  return {
    run() {
      let check = 0;
      for (let i = 0; i < passes; i++) check = (check + sumEach(memory, pfns)) | 0;
      return { count: pfns.length * passes, check };
    },
  };
}

/** As `sequentialLookUps`, by the bound look-up. */
function boundSequentialLookUps(log2Entries: number, passes: number, options: Partial<DomainOptions>): Work {
  const entries = 2 ** log2Entries;
  const look = boundLookUp(populated(entries, options));
  warmLookUps(look, entries);
  return {
    run() {
      let check = 0;
      for (let i = 0; i < passes; i++) check = (check + boundSumInOrder(look, entries)) | 0;
      return { count: entries * passes, check };
    },
  };
}

/** As `randomLookUps`, by the bound look-up. */
function boundRandomLookUps(log2Entries: number, passes: number, options: Partial<DomainOptions>): Work {
  const entries = 2 ** log2Entries;
  const look = boundLookUp(populated(entries, options));
  warmLookUps(look, entries);
  const pfns = pfnSequence(entries, Math.min(entries, SEQUENCE_MAX));
  return {
    run() {
      let check = 0;
      for (let i = 0; i < passes; i++) check = (check + boundSumEach(look, pfns)) | 0;
      return { count: pfns.length * passes, check };
    },
  };
}

/** As `sequentialLookUps`, a buffer at a time. */
export function rangeLookUps(log2Entries: number, passes: number, options: Partial<DomainOptions>): Work {
  const entries = 2 ** log2Entries;
  const memory = populated(entries, options);
  const out = new Int32Array(BUFFER);
  warmUp(entries, (few) => {
    lookUpRange(memory, few[0]!, out.subarray(0, FEW));
    return out[1]! | 1;
  });
  return {
    run() {
      let check = 0;
      for (let i = 0; i < passes; i++) {
        for (let pfn = 0; pfn < entries; pfn += BUFFER) {
          lookUpRange(memory, pfn, out);
          check = (check + out[(pfn / BUFFER) % BUFFER]!) | 0;
        }
      }
      return { count: entries * passes, check };
    },
  };
}

type LookUp = (pfn: number) => number;

/** Warms a bound look-up of a list of so many entries. */
export function warmLookUps(look: LookUp, entries: number): void {
  warmUp(entries, (few) => boundSumEach(look, few) + boundSumInOrder(look, FEW));
}

function boundSumInOrder(look: LookUp, entries: number): number {
  let sum = 0;
  for (let pfn = 0; pfn < entries; pfn++) sum = (sum + look(pfn)) | 0;
  return sum;
}

/** The sum of what is looked up. */
export function boundSumEach(look: LookUp, pfns: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < pfns.length; i++) sum = (sum + look(pfns[i]!)) | 0;
  return sum;
}

function sumInOrder(memory: Memory, entries: number): number {
  let sum = 0;
  for (let pfn = 0; pfn < entries; pfn++) sum = (sum + lookUp(memory, pfn)) | 0;
  return sum;
}

function sumEach(memory: Memory, pfns: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < pfns.length; i++) sum = (sum + lookUp(memory, pfns[i]!)) | 0;
  return sum;
}

/** Options of the tree that the linear list replaced. */
const OLD_TREE: Partial<DomainOptions> = { form: formByKernel('3.18'), memory: 'paged' };

/** A populated domain whose look-ups are warm. */
function populated(entries: number, options: Partial<DomainOptions>): Memory {
  const { memory } = bootedDomain({ nrPages: entries, p2mLimitPfns: 2 * entries, ...options });
  warmUp(entries, (few) => sumEach(memory, few) + sumInOrder(memory, FEW));
  return memory;
}

/**
 * Look-ups meet missing, identity and out-of-range pfns before the clock runs: whoever uses a list meets them, and code
 * that has never seen one is compiled to something faster and less true.
 */
function warmUp(entries: number, sumOf: (few: Int32Array) => number): void {
  const few = pfnSequence(4 * entries, FEW);
  let sum = 0;
  for (let i = 0; i < WARM_UPS; i++) sum = (sum + sumOf(few)) | 0;
  if (sum === 0) throw new Error('the look-ups were not made');
}

/** xorshift32, as pfn_sequence() in c/look_up.c. */
export function pfnSequence(entries: number, count: number): Int32Array {
  const pfns = new Int32Array(count);
  let x = 0x2545f491;
  for (let i = 0; i < count; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    pfns[i] = x & (entries - 1);
  }
  return pfns;
}
