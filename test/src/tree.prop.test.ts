import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Role, type EventBatch } from '../../events/index.js';
import { apply, digests, entryRuns, lookUp, PagedMemory, undo, type Domain, type Memory } from '../../src/index.js';
import { FIRST_MFN, get, set, treeDomain, TREES } from './tree_domain.js';

const TOP = 64;
/** Pfns looked at: the whole of a tiny tree, and some beyond. */
const WINDOW = 70;

interface Case {
  readonly kernel: (typeof TREES)[number];
  readonly geometry: 'tiny' | 'tiny-pae';
  readonly nrPages: number;
  readonly identity: [number, number][];
  readonly sets: [pfn: number, value: string][];
}

const pfn = fc.integer({ min: 0, max: TOP - 1 });
const frame = fc.integer({ min: 0, max: 5000 });
const value = fc.oneof(
  frame.map((n) => `m:${n}`),
  frame.map((n) => `f:${n}`),
  fc.constant('~'),
);
const cases: fc.Arbitrary<Case> = fc.record({
  kernel: fc.constantFrom(...TREES),
  geometry: fc.constantFrom('tiny' as const, 'tiny-pae' as const),
  nrPages: fc.integer({ min: 1, max: 40 }),
  identity: fc.array(fc.tuple(fc.integer({ min: 0, max: WINDOW }), fc.integer({ min: 0, max: WINDOW })), {
    maxLength: 3,
  }),
  sets: fc.array(fc.tuple(pfn, value), { maxLength: 25 }),
});

/**
 * What the old tree should answer, told by leaf and not by tree: a pfn has a value of its own once its leaf has a page;
 * before, all of the leaf is missing or identity. A set in a shared identity leaf is lost (B0d).
 */
class Reference {
  readonly #shared: ('missing' | 'identity' | 'own')[] = Array.from({ length: TOP / 4 }, () => 'missing');
  readonly #values = new Map<number, string>();

  constructor(nrPages: number) {
    for (let pfn = 0; pfn < nrPages; pfn++) {
      this.#shared[pfn >> 2] = 'own';
      this.#values.set(pfn, `m:${FIRST_MFN + pfn}`);
    }
  }

  identity(start: number, end: number): void {
    if (start > end || start >= TOP) return;
    // A missing leaf that an edge cuts gets a page, even where the range is empty.
    for (const edge of [start, end]) {
      if (edge % 4 !== 0 && edge < TOP && this.#shared[edge >> 2] === 'missing') this.#shared[edge >> 2] = 'own';
    }
    for (let pfn = start; pfn < Math.min(end, TOP); pfn++) {
      if (this.#shared[pfn >> 2] === 'missing') this.#shared[pfn >> 2] = 'identity';
      if (this.#shared[pfn >> 2] === 'own') this.#values.set(pfn, `i:${pfn}`);
    }
  }

  set(pfn: number, value: string): void {
    const leaf = pfn >> 2;
    if (this.#shared[leaf] === 'missing' && value !== '~') this.#shared[leaf] = 'own';
    if (this.#shared[leaf] === 'own') this.#values.set(pfn, value);
  }

  get(pfn: number): string {
    if (pfn >= TOP || this.#shared[pfn >> 2] === 'identity') return `i:${pfn}`;
    return this.#values.get(pfn) ?? '~';
  }
}

function run(c: Case): [Domain, Reference] {
  const d = treeDomain(c);
  const reference = new Reference(c.nrPages);
  for (const [start, end] of c.identity) reference.identity(start, end);
  for (const [pfn, value] of c.sets) {
    expect(set(d, pfn, value)).toEqual({ kind: 'bool', value: 1 });
    reference.set(pfn, value);
  }
  return [d, reference];
}

const pfns = Array.from({ length: WINDOW }, (_, pfn) => pfn);

describe('the old tree', () => {
  it('answers as a map of leaves does, after any identity ranges and sets', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const [d, reference] = run(c);
        expect(pfns.map((pfn) => get(d, pfn))).toEqual(pfns.map((pfn) => reference.get(pfn)));
      }),
      { numRuns: 300 },
    );
  });

  it('is looked up alike by lookUp, by entryRuns, by digests and by the machine', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const [d] = run(c);
        const { memory } = d;
        const answers = pfns.map((pfn) => get(d, pfn));
        expect(pfns.map((pfn) => memory.codec.format(lookUp(memory, pfn)))).toEqual(answers);
        const fromRuns = entryRuns(memory, 0, WINDOW).flatMap((run) =>
          Array.from({ length: run.count }, (_, i) => {
            if (run.kind === 'identity') return `i:${run.start + i}`;
            return memory.codec.format(memory.codec.add(run.first, i));
          }),
        );
        expect(fromRuns).toEqual(answers);
        let h = 0x811c9dc5 | 0;
        for (const answer of answers) {
          const word = memory.codec.parse(answer);
          h = Math.imul(h ^ memory.codec.rawLo(word), 16777619);
          h = Math.imul(h ^ memory.codec.rawHi(word), 16777619);
        }
        expect(digests(memory, 0, WINDOW).lookup).toBe((h >>> 0).toString(16).padStart(8, '0'));
      }),
      { numRuns: 100 },
    );
  });

  it('is the same again after its events are undone and applied, and in an empty memory that they are applied to', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const [d] = run(c);
        const { memory, batch } = d;
        const after = dump(memory);
        for (let i = batch.length - 1; i >= 0; i--) undo(memory, batch, i);
        const empty = { ...memory.layout, cpus: 1, sparePages: 256, nrPages: c.nrPages };
        const fresh = new PagedMemory(empty, memory.codec);
        expect(dump(memory).equals(dump(fresh))).toBe(true);
        replay(memory, batch);
        replay(fresh, batch);
        expect(dump(memory).equals(after)).toBe(true);
        expect(dump(fresh).equals(after)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

function replay(memory: Memory, batch: EventBatch): void {
  for (let i = 0; i < batch.length; i++) apply(memory, batch, i);
}

/** All that is known: what stands before the pages, the roles, and the words of each page that is in use. */
function dump(memory: Memory): Buffer {
  const { words, roles, homes, layout, geometry } = memory;
  const parts = [words.slice(0, layout.pagesBase), roles];
  for (let page = 1; page < layout.pageEnd; page++) {
    if (memory.role(page) !== Role.none) parts.push(words.slice(homes[page], homes[page]! + geometry.pageWords));
  }
  return Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)));
}
