import type { EntryCodec, Word } from '../../events/index.js';
import { ArgKey, TraceEvent, type TraceLine } from '../trace/trace_line.js';
import type { CallWindow, Check } from './call_window.js';
import type { Divergences, Found } from './divergences.js';
import type { Enclosures } from './enclosures.js';
import { Foreseen } from './knowledge.js';
import type { LastWriters } from './last_writers.js';
import type { LineArguments } from './line_arguments.js';
import type { LineCounts } from './line_counts.js';
import { Mode, type LogCall } from './log_call.js';
import { sameAs } from './probed_function.js';
import type { Counts } from './report.js';

const E = TraceEvent;
const ENOMEM = -12;

/** What the checks of a log's values need. */
export interface CheckContext {
  readonly codec: EntryCodec;
  readonly counts: Counts;
  readonly lineArguments: LineArguments;
  readonly lines: LineCounts;
  readonly window: CallWindow<Found>;
  readonly enclosures: Enclosures<Found>;
  readonly divergences: Divergences;
  readonly writers: LastWriters;
}

/** Holds what return lines say against the model, and tells what contradicts it. */
export class ValueChecks {
  readonly #codec: EntryCodec;
  readonly #counts: Counts;
  readonly #arguments: LineArguments;
  readonly #lines: LineCounts;
  readonly #window: CallWindow<Found>;
  readonly #enclosures: Enclosures<Found>;
  readonly #divergences: Divergences;
  readonly #writers: LastWriters;
  #undecided = 0;

  constructor({ codec, counts, lineArguments, lines, window, enclosures, divergences, writers }: CheckContext) {
    this.#codec = codec;
    this.#counts = counts;
    this.#arguments = lineArguments;
    this.#lines = lines;
    this.#window = window;
    this.#enclosures = enclosures;
    this.#divergences = divergences;
    this.#writers = writers;
  }

  /** Values that only another order would explain, where those were too many to try. */
  get undecided(): number {
    return this.#undecided;
  }

  /** The return line of a look-up. */
  lookUp(call: LogCall, line: TraceLine): void {
    const seen = this.#arguments.word(line, ArgKey.mfn);
    call.recorded = seen;
    if (
      this.#window.agrees(call, call) ||
      this.check(call, line, 'look-up', (answer) => this.hexWord(answer), this.hexWord(seen))
    ) {
      this.#counts.checked.lookups++;
    } else this.#counts.unchecked.lookups++;
  }

  /** The return line of a function that says whether it succeeded. */
  returned(call: LogCall, line: TraceLine): void {
    this.#arguments.number(line, ArgKey.ret);
    // Up to 4.3 alloc_p2m was a bool.
    const errno = sameAs(call.event) === E.xen_alloc_p2m_entry && call.event !== E.alloc_p2m;
    // A bare $retval of a bool function shows the whole register: only its low byte is the value.
    const returned = errno ? line.int(ArgKey.ret) : line.int(ArgKey.ret) & 0xff;
    const failed = errno ? ENOMEM : 0;
    const succeeded = errno ? 0 : 1;
    if (returned !== failed && returned !== succeeded) {
      this.#counts.checked.returns++;
      this.diverge(line, call, 'return', `${succeeded} or ${failed}`, String(returned));
      return;
    }
    call.recorded = returned === succeeded ? 1 : 0;
    if (this.#window.agrees(call.around ?? call, call)) {
      this.#counts.checked.returns++;
      return;
    }
    const show = (answer: number): string => (errno ? (answer !== 0 ? '0' : '-12') : String(answer));
    if (this.check(call, line, 'return', show, String(returned))) this.#counts.checked.returns++;
    else this.#counts.unchecked.returns++;
  }

  /**
   * Something was recorded of the call: compares it with the model, tries what else is possible, and tells what
   * contradicts it. True where one answer only was possible, so that the value was checked.
   */
  check(
    call: LogCall,
    line: TraceLine,
    what: string,
    expected: string | ((answer: number) => string),
    actual: string,
  ): boolean {
    const outer = call.around ?? call;
    if (call.mode !== Mode.ran && call.mode !== Mode.part) return false;
    const { answer } = call;
    const say = (): Found => {
      const died = outer.died !== '' ? outer.died : 'no such call';
      const model = typeof expected === 'string' ? expected : answer === undefined ? died : expected(answer);
      const found = this.found(line, call, what, model, actual);
      return what === 'look-up' ? this.withWriter(found) : found;
    };
    const check = this.#window.check(outer, call, say);
    const isChecked = call.foreseen !== Foreseen.no;
    this.tell(check, line, say);
    return isChecked;
  }

  /** Tells what a check has found. */
  tell(check: Check<Found>, line: TraceLine, say: () => Found): void {
    if (check.kind === 'undecided') this.#undecided++;
    else if (check.kind === 'contradicts') {
      if (check.earlier === undefined) this.#divergences.add(say(), line.line);
      else this.#divergences.addEarlier(check.earlier, line.line);
    }
  }

  /** The return line of a function that encloses its steps. */
  enclosing(call: LogCall, line: TraceLine): void {
    this.#arguments.number(line, ArgKey.ret);
    // What a function that failed has done is not said; nor are the stores of a zap, where the log shows no such function.
    const unseen = call.event === E.xen_create_contiguous_region && this.#lines.of(E.__set_phys_to_machine) === 0;
    if (line.int(ArgKey.ret) !== 0 || unseen) {
      this.#counts.unchecked.returns++;
      return;
    }
    this.#counts.checked.returns++;
    const wrong = this.#enclosures.wrong(call);
    if (wrong === undefined) return;
    const misfit = this.#enclosures.misfitOf(call);
    if (misfit === undefined) this.diverge(line, call, 'return', wrong.expected, wrong.actual);
    else this.#divergences.addEarlier(misfit, line.line);
  }

  /** A word of the list as the kernel prints it. */
  hexWord(word: Word): string {
    return this.#codec.toHex(word);
  }

  /** Tells that `what` of the call is not as the model has it. */
  diverge(line: TraceLine, call: LogCall, what: string, expected: string, actual: string): void {
    this.#divergences.add(this.found(line, call, what, expected, actual), line.line);
  }

  /** The same, with the line that wrote the entry last. */
  withWriter(found: Found): Found {
    const writtenAt = this.#window.writerOf(found.pfn) || this.#writers.lineOf(found.pfn);
    return writtenAt === 0 ? found : { ...found, writtenAt };
  }

  /** What there is to say of a contradiction at the line. */
  found(line: TraceLine, call: LogCall | undefined, what: string, expected: string, actual: string): Found {
    const name = call === undefined ? '' : this.#arguments.nameOf(call.event);
    return {
      line: line.line,
      seq: this.#counts.events,
      cpu: line.cpu,
      task: this.#arguments.taskOf(line),
      text: line.text().trim(),
      operation: what === 'return' ? name : `${name} ${what}`.trim(),
      pfn: call?.pfn ?? 0,
      expected,
      actual,
    };
  }
}
