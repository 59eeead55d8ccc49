import { INVALID, type Word } from '../../events/index.js';
import type { CallObserver, Machine } from '../../src/index.js';
import { TraceEvent } from '../trace/trace_line.js';

/** A call that the model made inside an operation, and what it gave back: what the log's nested lines must show. */
export interface InnerCall {
  /** Entry event of the function. */
  readonly event: number;
  readonly pfn: number;
  readonly value: number;
  /** Undefined where the model died inside. */
  ret: number | undefined;
}

/** How an open call takes part in the replay. */
export const Mode = {
  /** The model ran it when it was entered. */
  ran: 0,
  /** It is a call that the model made inside the one that it ran. */
  part: 1,
  /** It is not run itself: its steps have lines of their own. */
  encloses: 2,
  /** Nothing is asked of it. */
  unused: 3,
} as const;

const NO_CALLS: readonly InnerCall[] = [];

/** A call of one task whose return line has not come yet. */
export class OpenCall {
  event = 0;
  line = 0;
  mode: number = Mode.unused;
  pfn = 0;
  value: Word = INVALID;
  /** What the model says it returns: a word, or a number. */
  ret = 0;
  /** The model died in it: no return can be right. */
  died = '';
  /** Calls that the model made inside, and how many of them the log has shown. */
  inner: readonly InnerCall[] = NO_CALLS;
  shown = 0;
  /** Of a grant operation: slots, stores of the right kind seen inside. */
  slots = 0;
  stores = 0;
  /** Pfns that look-ups inside a grant operation have found INVALID since its last store. */
  readonly foundInvalid: number[] = [];

  /** Makes the record that of a call just entered. */
  begin(event: number, line: number): void {
    this.event = event;
    this.line = line;
    this.mode = Mode.unused;
    this.pfn = 0;
    this.value = INVALID;
    this.ret = 0;
    this.died = '';
    this.inner = NO_CALLS;
    this.shown = 0;
    this.slots = 0;
    this.stores = 0;
    this.foundInvalid.length = 0;
  }

  /** Index of the next inner call of the function that the log has not shown yet; -1 none. */
  nextInner(event: number): number {
    for (let i = this.shown; i < this.inner.length; i++) if (this.inner[i]!.event === event) return i;
    return -1;
  }
}

/** Entry events of the kernel functions that machines stand for. */
const EVENT_OF: Readonly<Record<string, number>> = {
  __set_phys_to_machine: TraceEvent.__set_phys_to_machine,
  set_phys_to_machine: TraceEvent.set_phys_to_machine,
  get_phys_to_machine: TraceEvent.get_phys_to_machine,
  alloc_p2m: TraceEvent.xen_alloc_p2m_entry,
  alloc_p2m_pmd: TraceEvent.alloc_p2m_pmd,
};

/** Notes the calls inside the operation that the model runs. */
export class InnerCalls implements CallObserver {
  #calls: InnerCall[] = [];
  #open: (InnerCall | undefined)[] = [];

  onCall(machine: Machine, pfn: number, value: number): void {
    const event = EVENT_OF[machine.name];
    let call: InnerCall | undefined;
    // The outermost call is the operation itself.
    if (this.#open.length > 0 && event !== undefined) this.#calls.push((call = { event, pfn, value, ret: undefined }));
    this.#open.push(call);
  }

  onReturn(_machine: Machine, value: number): void {
    const call = this.#open.pop();
    if (call !== undefined) call.ret = value;
  }

  /** The calls since the last time, in the order of their entries. */
  take(): readonly InnerCall[] {
    this.#open.length = 0;
    if (this.#calls.length === 0) return NO_CALLS;
    const calls = this.#calls;
    this.#calls = [];
    return calls;
  }
}
