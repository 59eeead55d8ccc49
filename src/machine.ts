import type { Word } from '../events/index.js';
import type { Cpu } from './cpu.js';

/** Where a row leads when the operation has ended: see `Cpu.ret`. */
export const DONE = -1;

/** Scheduling points of the vectors (vectors/README.md, "Steps"): a step begins with such a row and runs to the next. */
export type Step =
  | 'load entry'
  | 'store entry'
  | 'walk pmd'
  | 'load pte'
  | 'copy pte page'
  | 'lock'
  | 'unlock'
  | 'after unlock'
  | 'store pmd'
  | 'store pte'
  | 'load top_mfn_p'
  | 'check load top_mfn'
  | 'cmpxchg top_mfn'
  | 'store top_mfn_p'
  | 'store mid_mfn'
  | 'store last_pfn'
  | 'store shared_info.max_pfn'
  // The old tree; the vectors have no case of it, so these names are ours.
  | 'load top'
  | 'cmpxchg top'
  | 'load mid'
  | 'cmpxchg mid';

/** One row of a machine: the step of the spec it is, what it does, and whether a scheduling step begins with it. */
export interface Row {
  /** Label of the spec, such as `P3.6`. */
  readonly label: string;
  /** Its one access, in the spec's notation. */
  readonly does: string;
  /** Granularity `vector`: a step begins here; without it the row is joined to the row before. */
  readonly step?: Step;
}

/**
 * An operation of the kernel as labelled rows over explicit locals (design 2.2). `step` runs the row at `r.pc` and gives
 * the row to run next. A row makes one access of shared memory, through `cpu.port`; what it decides is in its locals.
 */
export interface Machine {
  /** The kernel's name of the function. */
  readonly name: string;
  readonly rows: readonly Row[];
  step(r: Locals, cpu: Cpu): number;
}

/** Declares the rows of a machine, in the order of their numbers. */
export function rows(...list: readonly (readonly [label: string, does: string, step?: Step])[]): readonly Row[] {
  return list.map(([label, does, step]) => (step === undefined ? { label, does } : { label, does, step }));
}

/** Numbers that `Locals.save` writes. */
export const LOCALS_COUNT = 18;

/**
 * The locals of one call: the registers and the stack frame of the kernel function, by the names its source uses. One
 * shape for all machines, so that a frame is copied, compared and hashed by one piece of code and stays fast.
 */
export class Locals {
  machine: Machine;
  /** The row to run next. */
  pc = 0;
  /** What the last callee returned: a word, a page, a count, or 0 / 1 for a bool. */
  ret = 0;

  pfn = 0;
  value: Word = 0;
  /** Loop counter and bound. */
  i = 0;
  end = 0;
  /** Entries or chunk in hand; answers counted. */
  count = 0;
  /** PT page of the PTE pointer in hand (`ptep` is its slot for pfn). */
  ptePage = 0;
  pte = 0;
  /** Address in the list, in entries, rounded down to a PMD. */
  vaddr = 0;
  /** PT page that a fresh walk found. */
  linked = 0;
  /** Pages of our own that are not linked yet. */
  page0 = 0;
  page1 = 0;
  /** Mid page and leaf in hand. */
  mid = 0;
  leaf = 0;
  /** Old tree: mid page of the tools' tree in hand, beside the tree's own `mid`. */
  midMfn = 0;
  /** What a compare-and-exchange found, what a load saw. */
  seen = 0;
  /** Result to give back when a loop has ended. */
  result = 0;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Starts a call of `machine`: every local is 0 but the arguments. */
  begin(machine: Machine, pfn: number, value: number, count: number): void {
    this.machine = machine;
    this.pc = 0;
    this.ret = 0;
    this.pfn = pfn;
    this.value = value;
    this.i = 0;
    this.end = 0;
    this.count = count;
    this.ptePage = 0;
    this.pte = 0;
    this.vaddr = 0;
    this.linked = 0;
    this.page0 = 0;
    this.page1 = 0;
    this.mid = 0;
    this.leaf = 0;
    this.midMfn = 0;
    this.seen = 0;
    this.result = 0;
  }

  /** Writes all locals but the machine to `to[at ..]`, in an order of their own; `load` reads them back. */
  save(to: Float64Array, at: number): void {
    to[at] = this.pc;
    to[at + 1] = this.ret;
    to[at + 2] = this.pfn;
    to[at + 3] = this.value;
    to[at + 4] = this.i;
    to[at + 5] = this.end;
    to[at + 6] = this.count;
    to[at + 7] = this.ptePage;
    to[at + 8] = this.pte;
    to[at + 9] = this.vaddr;
    to[at + 10] = this.linked;
    to[at + 11] = this.page0;
    to[at + 12] = this.page1;
    to[at + 13] = this.mid;
    to[at + 14] = this.leaf;
    to[at + 15] = this.midMfn;
    to[at + 16] = this.seen;
    to[at + 17] = this.result;
  }

  /** The call of `machine` that `save` wrote. */
  load(machine: Machine, from: Float64Array, at: number): void {
    this.machine = machine;
    this.pc = from[at]!;
    this.ret = from[at + 1]!;
    this.pfn = from[at + 2]!;
    this.value = from[at + 3]!;
    this.i = from[at + 4]!;
    this.end = from[at + 5]!;
    this.count = from[at + 6]!;
    this.ptePage = from[at + 7]!;
    this.pte = from[at + 8]!;
    this.vaddr = from[at + 9]!;
    this.linked = from[at + 10]!;
    this.page0 = from[at + 11]!;
    this.page1 = from[at + 12]!;
    this.mid = from[at + 13]!;
    this.leaf = from[at + 14]!;
    this.midMfn = from[at + 15]!;
    this.seen = from[at + 16]!;
    this.result = from[at + 17]!;
  }
}
