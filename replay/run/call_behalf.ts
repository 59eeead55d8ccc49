import { Clock, commOf, Operation } from '../../events/index.js';
import { NOBODY, type Behalf } from '../../src/index.js';
import { TraceEvent, type TraceLine, type TraceNames } from '../trace/trace_line.js';
import { Mode, type LogCall } from './log_call.js';

const NS_DIGITS = 9;
const NS = 10 ** NS_DIGITS;
const TWO_32 = 2 ** 32;

/** By entry event: the functions that enclose their steps, as operations. */
const AROUND = new Map<number, number>(
  (
    [
      'set_foreign_p2m_mapping',
      'clear_foreign_p2m_mapping',
      'xen_create_contiguous_region',
      'xen_destroy_contiguous_region',
      'xen_zap_pfn_range',
      'xen_remap_exchanged_ptes',
    ] as const
  ).map((name) => [TraceEvent[name], Operation[name]]),
);

/** On whose behalf the calls of a log run, as its lines say. */
export class CallBehalfs {
  readonly #names: TraceNames;
  /** By task of the log: its name in columns. */
  readonly #comms: (readonly number[])[] = [];

  constructor(names: TraceNames) {
    this.#names = names;
  }

  /**
   * What the line says, which enters a call.
   * @param calls the calls of its task that are open before it, outermost first
   */
  of(line: TraceLine, calls: readonly LogCall[]): Behalf {
    // A log of the early boot has no tasks, and numbers where the others have times.
    if (line.call > 0) return NOBODY;
    const { clock, time } = timeOf(line);
    const outer = calls.findLast(({ mode, dormant }) => mode === Mode.encloses && !dormant);
    return {
      pid: line.pid,
      comm: this.#commOf(line.task),
      clock,
      time,
      around: outer === undefined ? Operation.none : AROUND.get(outer.event)!,
      aroundLine: outer?.line ?? 0,
    };
  }

  #commOf(task: number): readonly number[] {
    return (this.#comms[task] ??= commOf(this.#names.tasks.bytesOf(task)));
  }
}

/** Seconds with a point are nanoseconds, other numbers count something; a time that is no exact number is none. */
function timeOf({ timeHi, timeLo, timeFraction, timeDigits }: TraceLine): { clock: number; time: number } {
  const whole = timeHi * TWO_32 + timeLo;
  const hasPoint = timeDigits > 0;
  const time = hasPoint ? whole * NS + timeFraction * 10 ** (NS_DIGITS - timeDigits) : whole;
  if (time > Number.MAX_SAFE_INTEGER) return { clock: Clock.none, time: 0 };
  return { clock: hasPoint ? Clock.ns : Clock.counter, time };
}
