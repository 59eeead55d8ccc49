import { FAULT, Global, INVALID } from '../../../events/index.js';
import { EXTRA_MEM, isTree, LeafClass, leafClass, lookUp, lookUpRange, type Memory } from '../../../src/index.js';

/** Pfns [pfnStart, pfnEnd). */
export interface PfnSpan {
  readonly pfnStart: number;
  readonly pfnEnd: number;
}

/** What look-ups of a piece of a leaf answer, where one word says it all. */
const Uniform = { words: 0, missing: 1, identity: 2, fault: 3 } as const;

/**
 * What look-ups of some pfns answer, to be compared with what they answer later. Leaf by leaf: what all its pfns share, a
 * shared leaf above all, is kept as a number, only the rest word by word.
 */
export class AnswerImage {
  readonly #memory: Memory;
  /** Start, end, uniform or place in the words, of each piece: none goes over the end of a leaf. */
  readonly #pieces: number[] = [];
  #words = new Int32Array(512);
  #used = 0;

  /** Of the memory as it is. @param spans ascending, none overlaps another */
  constructor(memory: Memory, spans: readonly PfnSpan[]) {
    this.#memory = memory;
    const uniform = new UniformLeaves(memory);
    for (const { pfnStart, pfnEnd } of spans) {
      for (let pfn = pfnStart; pfn < pfnEnd;) {
        const end = Math.min(pfnEnd, leafEnd(memory, pfn));
        const kind = uniform.of(pfn, end);
        this.#pieces.push(pfn, end, kind === Uniform.words ? -1 - this.#keep(pfn, end) : kind);
        pfn = end;
      }
    }
  }

  /** Tells of the pfns that are answered otherwise now, as runs as long as may be, ascending. */
  changes(tell: (pfnStart: number, pfnEnd: number) => void): void {
    const memory = this.#memory;
    const uniform = new UniformLeaves(memory);
    const runs = new RunJoiner(tell);
    const pieces = this.#pieces;
    for (let p = 0; p < pieces.length; p += 3) {
      const [start, end, before] = [pieces[p]!, pieces[p + 1]!, pieces[p + 2]!];
      const now = uniform.of(start, end);
      if (before > 0 && now !== Uniform.words) {
        if (now !== before) runs.add(start, end);
        continue;
      }
      for (let pfn = start; pfn < end; pfn++) {
        if (lookUp(memory, pfn) !== this.#before(before, start, pfn)) runs.add(pfn, pfn + 1);
      }
    }
    runs.end();
  }

  #before(piece: number, start: number, pfn: number): number {
    if (piece < 0) return this.#words[-1 - piece + pfn - start]!;
    return wordOf(this.#memory, piece, pfn);
  }

  #keep(pfnStart: number, pfnEnd: number): number {
    const at = this.#used;
    const end = at + pfnEnd - pfnStart;
    if (end > this.#words.length) {
      const larger = new Int32Array(Math.max(end, 2 * this.#words.length));
      larger.set(this.#words);
      this.#words = larger;
    }
    lookUpRange(this.#memory, pfnStart, this.#words.subarray(at, end));
    this.#used = end;
    return at;
  }
}

function leafEnd(memory: Memory, pfn: number): number {
  return pfn - (pfn & memory.leafMask) + memory.geometry.perPage;
}

/** What all pfns of a piece of a leaf share, seen without a look at each. */
class UniformLeaves {
  readonly #memory: Memory;
  /** Whether nobody has stored into the shared leaves; the memory stays as it is. */
  readonly #missingIntact: boolean;
  readonly #identityIntact: boolean;
  /** Up to here a linear list reaches; an old tree that stands beside one is not of our making, and gone through pfn by pfn. */
  readonly #listEnd: number;

  constructor(memory: Memory) {
    this.#memory = memory;
    const { words } = memory;
    this.#missingIntact = isEmpty(memory, words[Global.p2m_missing]!);
    this.#identityIntact = isEmpty(memory, words[Global.p2m_identity]!);
    const size = words[Global.xen_p2m_size]!;
    const tree = isTree(memory);
    this.#listEnd = !tree ? size : size === 0 ? memory.geometry.maxP2mPfn : -1;
  }

  of(start: number, end: number): number {
    if (this.#listEnd < 0) return Uniform.words;
    if (start >= this.#listEnd) return this.#beyond(start, end);
    if (end > this.#listEnd) return Uniform.words;
    switch (leafClass(this.#memory, start)) {
      case LeafClass.missing:
        return this.#missingIntact ? Uniform.missing : Uniform.words;
      case LeafClass.identity:
        return this.#identityIntact ? Uniform.identity : Uniform.words;
      case LeafClass.unmapped:
        return Uniform.fault;
      default:
        return Uniform.words;
    }
  }

  /** Above the list all is identity, but for extra memory that is not mapped yet. */
  #beyond(start: number, end: number): number {
    const { words } = this.#memory;
    const mapped = words[Global.xen_max_p2m_pfn]!;
    if (isTree(this.#memory) || start >= mapped) return Uniform.identity;
    for (let region = 0; region < words[Global.xen_extra_mem_count]!; region++) {
      const first = words[EXTRA_MEM + 2 * region]!;
      const last = first + words[EXTRA_MEM + 2 * region + 1]!;
      if (start >= first && end <= last && end <= mapped) return Uniform.missing;
      if (start < last && end > first) return Uniform.words;
    }
    return Uniform.identity;
  }
}

function wordOf(memory: Memory, uniform: number, pfn: number): number {
  if (uniform === Uniform.identity) return memory.codec.identityOf(pfn);
  return uniform === Uniform.missing ? INVALID : FAULT;
}

function isEmpty(memory: Memory, page: number): boolean {
  const home = memory.homes[page]!;
  for (let i = 0; i < memory.geometry.perPage; i++) if (memory.words[home + i] !== INVALID) return false;
  return true;
}

/** Joins runs that touch. */
class RunJoiner {
  readonly #tell: (pfnStart: number, pfnEnd: number) => void;
  #start = 0;
  #end = 0;

  constructor(tell: (pfnStart: number, pfnEnd: number) => void) {
    this.#tell = tell;
  }

  add(start: number, end: number): void {
    if (start === this.#end && this.#end > this.#start) {
      this.#end = end;
      return;
    }
    this.end();
    this.#start = start;
    this.#end = end;
  }

  end(): void {
    if (this.#end > this.#start) this.#tell(this.#start, this.#end);
    this.#start = this.#end = 0;
  }
}
