import { Global } from '../../events/index.js';
import { isTree, NO_PAGE, ptePage, Touch, type Memory, type Touches } from '../../src/index.js';
import { AccessKind, type Accesses } from '../explore/accesses.js';
import type { Scenario, ScenarioOperation } from './scenario.js';
import type { Finished } from './scenario_thread.js';

/** Whether the path goes on: read by each step, stored by an assertion. Addresses of words are not negative. */
const GOING_ON = -1;
/** The history of the i-th pfn: HISTORIES - i. */
const HISTORIES = -(2 ** 20);
/** The operations that may have given a leaf to the i-th pfn: RETURNS - i. */
const RETURNS = -(2 ** 21);

/** A step that was taken, as the checks see it. */
export interface SeenStep {
  /** The operation that it is the first step of. */
  readonly begun: ScenarioOperation | undefined;
  readonly finished: readonly Finished[];
  readonly touches: Touches;
  readonly died: boolean;
}

/**
 * What the checks look at, as accesses: an explorer that swaps independent steps must not change what they find. Beside
 * the words that a step touches,
 *
 *     history of a pfn     read by the first step of an operation on it; stored by the last, and by each step that
 *                          changes a word on the way to its entry: who was before whom, what a look-up could see
 *     returns of a leaf    stored by the last step of an operation that may have allocated it
 *     the tools' tree      read by the same step, where it must name the leaf by then
 *     whether it goes on   read by each step, stored by an assertion, for nobody steps after one
 */
export class CheckAccesses {
  readonly #memory: Memory;
  /** Watched pfns and those of operations. */
  readonly #pfns: readonly number[];

  constructor({ watch, threads }: Scenario, memory: Memory) {
    this.#memory = memory;
    this.#pfns = [...new Set([...watch, ...threads.flat().map(([, pfn]) => pfn)])];
  }

  /** Adds those of the last step; the memory is as the step has left it. */
  add(into: Accesses, { begun, finished, touches, died }: SeenStep): void {
    into.note(died ? AccessKind.write : AccessKind.read, GOING_ON);
    if (begun !== undefined) into.note(AccessKind.read, this.#history(begun[1]));
    for (const { operation } of finished) this.#addReturn(into, operation);
    for (let i = 0; i < touches.count; i++) {
      if (touches.kinds[i] === Touch.write || touches.kinds[i] === Touch.page) {
        this.#addChange(into, touches.addresses[i]!);
      }
    }
  }

  #addReturn(into: Accesses, [kind, pfn]: ScenarioOperation): void {
    into.note(AccessKind.write, this.#history(pfn));
    if (kind === 'lookup' || kind === 'get') return;
    const { geometry: g, homes, words, leafShift } = this.#memory;
    into.note(AccessKind.write, RETURNS - this.#pfns.findIndex((other) => other >>> leafShift === pfn >>> leafShift));
    const top = words[Global.p2m_top_mfn]!;
    if (top === NO_PAGE || pfn >= g.maxP2mPfn) return;
    const index = Math.floor(pfn / g.pfnsPerMidPage);
    into.note(AccessKind.read, homes[top]! + index);
    into.note(AccessKind.read, homes[words[Global.p2m_top_mfn_p]!]! + index);
    into.note(AccessKind.read, homes[words[homes[top]! + index]!]! + (Math.floor(pfn / g.perPage) % g.midPerPage));
  }

  #addChange(into: Accesses, address: number): void {
    this.#pfns.forEach((pfn, i) => {
      if (this.#isOnWay(address, pfn)) into.note(AccessKind.write, HISTORIES - i);
    });
  }

  /** Whether a look-up of `pfn` loads the word: in the list PMD, PTE and entry, in the old tree top, mid and entry. */
  #isOnWay(address: number, pfn: number): boolean {
    const m = this.#memory;
    const isOld = isTree(m);
    if (pfn >= (isOld ? m.geometry.maxP2mPfn : m.words[Global.xen_p2m_size]!)) return false;
    const upper = isOld
      ? m.homes[m.words[Global.p2m_top]!]! + (pfn >>> m.midShift)
      : m.layout.pmdBase + (pfn >>> m.pmdShift);
    if (address === upper) return true;
    const table = isOld ? m.words[upper]! : ptePage(m.words[upper]!);
    if (table === NO_PAGE) return false;
    const lower = m.homes[table]! + ((pfn >>> m.leafShift) & (isOld ? m.midMask : m.pteMask));
    if (address === lower) return true;
    const leaf = isOld ? m.words[lower]! : ptePage(m.words[lower]!);
    return leaf !== NO_PAGE && address === m.homes[leaf]! + (pfn & m.leafMask);
  }

  #history(pfn: number): number {
    return HISTORIES - this.#pfns.indexOf(pfn);
  }
}
