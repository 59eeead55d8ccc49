import type { CallObserver, Machine } from '../../src/index.js';
import { TraceEvent } from '../trace/trace_line.js';

/** A call that the model made inside an operation, and what it gave back: what the log's nested lines must show. */
export interface InnerCall {
  /** Entry event of the function. */
  readonly event: number;
  readonly pfn: number;
  readonly value: number;
  ret: number;
}

/** How an open call takes part in the replay. */
export const Mode = {
  /** The model ran it when it was entered. */
  ran: 0,
  /** It is a call that the model made inside the one that it ran. */
  part: 1,
  /** It is not run itself: its steps have lines of their own, which it counts. */
  encloses: 2,
  /** Nothing is asked of it. */
  unused: 3,
} as const;

/** A call of one task whose return line has not come yet. */
export class OpenCall {
  event = 0;
  line = 0;
  mode: number = Mode.unused;
  pfn = 0;
  value = 0;
  /** What the model says it returns: a word, or a number. */
  ret = 0;
  /** The model died in it: no return can be right. */
  died = '';
  /** Calls that the model made inside, and how many of them the log has shown. */
  inner: InnerCall[] = [];
  shown = 0;
  /** Of a grant operation: slots, stores of the right kind seen inside, stores of another. */
  slots = 0;
  stores = 0;
  /** The pfn that the last look-up inside found INVALID, or that it found FOREIGN; -1 none. */
  lookedUp = -1;
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
    if (this.#open.length > 0 && event !== undefined) this.#calls.push((call = { event, pfn, value, ret: 0 }));
    this.#open.push(call);
  }

  onReturn(_machine: Machine, value: number): void {
    const call = this.#open.pop();
    if (call !== undefined) call.ret = value;
  }

  /** The calls since the last time, in the order of their entries. */
  take(): InnerCall[] {
    const calls = this.#calls;
    if (calls.length > 0) this.#calls = [];
    this.#open.length = 0;
    return calls;
  }
}
