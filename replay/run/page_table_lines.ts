import { FAULT, INVALID, KINDS } from '../../events/index.js';
import { lookUp, ptePage, type Domain } from '../../src/index.js';
import { ArgKey, TraceEvent, type TraceLine } from '../trace/trace_line.js';
import { Foreseen, type Knowledge } from './knowledge.js';
import type { LogCall } from './log_call.js';

const E = TraceEvent;
const PRESENT = 1;
/** Linux maps all of memory from an address that is a multiple of a GiB: frames of two such addresses agree modulo this. */
const FRAMES_PER_GIB = 2 ** 18;

/** What is wrong with a line of a page-table store. */
export interface WrongStore {
  /** Frame of Linux in the line. */
  readonly pfn: number;
  readonly expected: string;
  readonly actual: string;
}

/** How a line of a page-table store turned out: nothing known of it, right, or wrong. */
export type PageTableCheck = 'unknown' | 'right' | WrongStore;

/**
 * Lines of the xen/mmu tracepoints, such as
 *
 *     xen_mmu_set_pmd: pmdp 00000000ea9ae47f pmdval 000000000c052067 (raw 0000000063aaa067)
 *                                               [frame of Linux][flags]   [machine frame][flags]
 *
 * The machine frame is the p2m entry of the frame that Linux sees, without the two indicator bits (spec 5.6). What is
 * stored inside an allocation is a page that this call was given, where the model stores one too.
 */
export class PageTableLines {
  readonly #domain: Domain;
  readonly #knowledge: Knowledge;

  constructor(domain: Domain, knowledge: Knowledge) {
    this.#domain = domain;
    this.#knowledge = knowledge;
  }

  /** Whether the frame in the page table is that of the p2m. */
  checkFrame(line: TraceLine): PageTableCheck {
    // set_p4d prints the value of Linux twice; two more events print no value.
    if (line.event === E.xen_mmu_set_p4d || !line.has(ArgKey.entryval) || !line.has(ArgKey.raw)) return 'unknown';
    if ((line.lo[ArgKey.entryval]! & PRESENT) === 0) return 'unknown';
    const pfn = frameOf(line, ArgKey.entryval);
    const { memory } = this.#domain;
    if (!this.#knowledge.isAnswerKnown(pfn)) return 'unknown';
    const word = lookUp(memory, pfn);
    if (word === FAULT) return 'unknown';
    const recorded = frameOf(line, ArgKey.raw);
    if (word === INVALID) {
      // What has no frame makes an empty entry (spec 5.6).
      const isEmpty = line.hi[ArgKey.raw] === 0 && line.lo[ArgKey.raw] === 0;
      return isEmpty ? 'right' : { pfn, expected: 'an empty entry', actual: line.hex(ArgKey.raw) };
    }
    const frame = memory.codec.frameOf(word);
    return frame === recorded ? 'right' : { pfn, expected: hex(frame), actual: hex(recorded) };
  }

  /** Whether the model has stored such an entry in the allocation, and the page is one that the allocation was given. */
  checkAllocation(alloc: LogCall, line: TraceLine): PageTableCheck {
    const isPmd = line.event === E.xen_mmu_set_pmd;
    if (!isPmd && line.event !== E.xen_mmu_set_pte) return 'unknown';
    const nth = isPmd ? ++alloc.pmdLines : ++alloc.pteLines;
    const made = alloc.around === undefined ? alloc.model[0] : alloc.around.model[alloc.modelIndex];
    const whole = alloc.around ?? alloc;
    if (made === undefined || whole.fixed || made.foreseen !== Foreseen.yes) return 'unknown';
    if (!line.has(ArgKey.entryval)) return 'unknown';
    const recorded = frameOf(line, ArgKey.entryval);
    const { batch } = this.#domain;
    const kind = isPmd ? KINDS.set_pmd.id : KINDS.set_pte.id;
    const pages: number[] = [];
    let stores = 0;
    for (let row = made.rowStart; row < made.rowEnd; row++) {
      if (batch.kind[row] === KINDS.alloc_page.id) pages.push(batch.a[row]!);
      if (batch.kind[row] !== kind || ++stores < nth) continue;
      const given = alloc.pages[pages.indexOf(ptePage(isPmd ? batch.c[row]! : batch.d[row]!))];
      if (given === undefined || given % FRAMES_PER_GIB === recorded % FRAMES_PER_GIB) return 'right';
      return { pfn: recorded, expected: `the page at ${hex(given)} that was allocated`, actual: hex(recorded) };
    }
    return { pfn: recorded, expected: `${stores} stores`, actual: `${nth}` };
  }
}

/** Bits 12 to 51 of an entry. */
function frameOf(line: TraceLine, key: ArgKey): number {
  return (line.hi[key]! & 0xf_ffff) * 2 ** 20 + (line.lo[key]! >>> 12);
}

function hex(n: number): string {
  return `0x${n.toString(16)}`;
}
