import { INVALID, type EntryCodec, type Word } from '../../events/index.js';
import { TraceEvent } from '../trace/trace_line.js';
import type { LogCall } from './log_call.js';
import { isGrant, takesValue } from './probed_function.js';

const E = TraceEvent;

/** What a function was to do, and what its steps in the log did instead. */
export interface WrongSteps {
  readonly expected: string;
  readonly actual: string;
}

/**
 * The steps of a function that is not run itself, for its steps have lines of their own (spec 7.1, 7.2, 7.3):
 *
 *     set_foreign_p2m_mapping        count times: a look-up that says INVALID, then a store of a FOREIGN word
 *     clear_foreign_p2m_mapping      count times: a store of INVALID over a FOREIGN word
 *     xen_create_contiguous_region   2^order stores of INVALID from pstart on, then as many of consecutive mfns
 */
export class EnclosedSteps {
  readonly #event: number;
  readonly #codec: EntryCodec;
  /** First pfn of a region, and grants or pfns to go through. */
  readonly #pfn: number;
  readonly #count: number;
  #stores = 0;
  /** Pfns that look-ups have found INVALID, and that were not stored since. */
  readonly #foundInvalid = new Set<number>();
  /** Pfns of which the log says that their last store here has succeeded. */
  readonly #stored = new Set<number>();
  #zapped = 0;
  #remapped = 0;
  #nextMfn: Word = INVALID;

  /** @param count grants, or pfns of the region */
  constructor(event: number, pfn: number, count: number, codec: EntryCodec) {
    this.#event = event;
    this.#pfn = pfn;
    this.#count = count;
    this.#codec = codec;
  }

  /** How many stores are still to come. */
  get stepsLeft(): number {
    const both = this.#event === E.xen_create_contiguous_region || this.#event === E.xen_destroy_contiguous_region;
    return (both ? 2 : 1) * this.#count - this.#stores;
  }

  /**
   * A step has ended.
   *
   * @param looked whether the log shows look-ups at all
   * @param raced  whether another store of the entry overlaps with it: then what it overwrote is not known
   */
  step(call: LogCall, looked: boolean, raced: boolean): void {
    const { answer } = call;
    if (answer === undefined) return;
    if (call.event === E.get_phys_to_machine) {
      if (answer === INVALID) this.#foundInvalid.add(call.pfn);
      return;
    }
    if (!takesValue(call.event)) return;
    if (call.recorded === 1) this.#stored.add(call.pfn);
    else this.#stored.delete(call.pfn);
    if (answer === 0) return;
    if (this.#event === E.set_foreign_p2m_mapping) {
      const found = this.#foundInvalid.delete(call.pfn);
      if (this.#codec.isForeign(call.value) && (!looked || found)) this.#stores++;
    } else if (this.#event === E.clear_foreign_p2m_mapping) {
      const { overwritten } = call;
      const wasForeign = raced || overwritten === undefined || this.#codec.isForeign(overwritten);
      if (call.value === INVALID && wasForeign) this.#stores++;
    } else {
      this.#stores++;
      this.#exchange(call);
    }
  }

  /**
   * Whether a store that is entered can be a step of the function, by its arguments alone.
   *
   * @returns what it should be instead; undefined where it can
   */
  misfit({ event, pfn, value }: LogCall, looked: boolean): string | undefined {
    if (!takesValue(event)) return undefined;
    if (this.#event === E.set_foreign_p2m_mapping) {
      if (!this.#codec.isForeign(value)) return 'a FOREIGN word';
      return looked && !this.#foundInvalid.has(pfn) ? 'a pfn that a look-up has found INVALID' : undefined;
    }
    if (this.#event === E.clear_foreign_p2m_mapping) return value === INVALID ? undefined : 'INVALID';
    if (this.#event !== E.xen_create_contiguous_region) return undefined;
    const zaps = this.#zapped < this.#count;
    const next = this.#pfn + (zaps ? this.#zapped : this.#remapped);
    if (pfn !== next) return `pfn 0x${next.toString(16)}`;
    if (zaps) return value === INVALID ? undefined : 'INVALID';
    return this.#remapped > 0 && value !== this.#nextMfn ? this.#codec.toHex(this.#nextMfn) : undefined;
  }

  /**
   * Whether an allocation for the pfn can be a step of the function: a grant is stored once, and a page is allocated only
   * where that store has found the leaf shared.
   */
  mayAllocate(pfn: number): boolean {
    return !isGrant(this.#event) || !this.#stored.has(pfn);
  }

  /** What is wrong with the steps of the call, which has succeeded; undefined where nothing is. */
  wrong(): WrongSteps | undefined {
    const n = this.#count;
    if (this.#event === E.xen_create_contiguous_region) {
      if (this.#zapped === n && this.#remapped === n && this.#stores === 2 * n) return undefined;
      const from = `from pfn 0x${this.#pfn.toString(16)} on`;
      const done = `${this.#zapped} and ${this.#remapped} of ${this.#stores} stores`;
      return { expected: `${n} stores of INVALID ${from}, then ${n} of consecutive mfns`, actual: done };
    }
    if (this.#stores === n) return undefined;
    const kind =
      this.#event === E.set_foreign_p2m_mapping
        ? 'FOREIGN stores after an INVALID look-up'
        : 'INVALID stores over FOREIGN';
    return { expected: `${n} ${kind}`, actual: `${this.#stores}` };
  }

  #exchange({ pfn, value }: LogCall): void {
    if (this.#zapped < this.#count) {
      if (value === INVALID && pfn === this.#pfn + this.#zapped) this.#zapped++;
    } else if (value !== INVALID && pfn === this.#pfn + this.#remapped) {
      if (this.#remapped > 0 && value !== this.#nextMfn) return;
      this.#nextMfn = this.#codec.add(value, 1);
      this.#remapped++;
    }
  }
}
