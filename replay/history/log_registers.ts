import { P2mError, type StoredLog, type Word } from '../../events/index.js';
import { LeafClass, leafClass, lookUp } from '../../src/index.js';
import { Timeline } from '../audit/timeline.js';
import type { AccessGroup } from './access_store.js';
import { STEPS_MAX } from './check_history.js';
import { guiltyAccesses } from './guilty_accesses.js';
import { JustInTimeSearch } from './just_in_time_search.js';
import { LogAccesses } from './log_accesses.js';
import { RegisterAccesses } from './register_accesses.js';
import { NEVER } from './register_operations.js';

/** Default of `CheckLogOptions.violationsMax`. */
const VIOLATIONS_MAX = 100;
/** `GuiltyOperation.end` of one that never returned. */
export const NO_RETURN = -1;

/** Bounds. */
export interface CheckLogOptions {
  /** Most steps of search for one pfn, beyond one for each of its operations; default `STEPS_MAX`. */
  readonly stepsMax?: number;
  /** Most violated pfns that are told; default 100. */
  readonly violationsMax?: number;
}

/** An operation that, with others, has no order. */
export interface GuiltyOperation {
  /** Its number in the log; 0: it is no operation's. */
  readonly op: number;
  /** Numbers of the events where it began and ended; `NO_RETURN` where it did not. */
  readonly call: number;
  readonly end: number;
}

/** A pfn whose operations have no order. */
export interface PfnViolation {
  readonly pfn: number;
  /** What it held before all. */
  readonly initial: Word;
  /** Some that have none by themselves, as they began. */
  readonly guilty: readonly GuiltyOperation[];
}

/** What was found out about the operations of a log. */
export interface LogRegisterReport {
  /** `violated` where any pfn is, `unknown` where none is and some are undecided. */
  readonly verdict: 'ok' | 'violated' | 'unknown';
  /** Reads and writes that were checked. */
  readonly operations: number;
  /** Pfns that they are of. */
  readonly pfns: number;
  /** The first violated registers, `violationsMax` at most, by ascending pfn (anew where the list was made anew). */
  readonly violations: readonly PfnViolation[];
  /** All violated registers, also those that are not told. */
  readonly violatedPfns: number;
  /** Pfns that no verdict was reached on within the budget. */
  readonly unknown: readonly number[];
}

/**
 * Whether what the look-ups and sets of a log returned is linearizable (Herlihy and Wing 1990), each pfn a register: whether
 * they can be put into an order in which each takes effect at one moment between its `call` and its `return`, and each
 * look-up finds what was set last. What the sets stored inside is not looked at: it is what callers were told. Stores of
 * other operations (the balloon, grants) are writes.
 *
 * A register begins with what a look-up answers where the first operation of the log begins that is not of boot or resume;
 * where the list is made anew, so are the registers. A set of a pfn beyond the list stores nothing and may return true
 * (spec 6.1): it is no write. Memory: 16 bytes an operation; the log is read in a stream.
 *
 * @throws {P2mError} code `bad-input`: the log is damaged, or does not fit the memory that its header describes; `capacity`:
 *   it has 2^31 events or more
 */
export function checkLogRegisters(log: StoredLog, options: CheckLogOptions = {}): LogRegisterReport {
  if (log.events >= NEVER) {
    throw new P2mError('capacity', 'too many events to check', { got: String(log.events), expected: `below ${NEVER}` });
  }
  return new LogCheck(log, options).report();
}

class LogCheck {
  readonly #log: StoredLog;
  readonly #stepsMax: number;
  readonly #violationsMax: number;
  readonly #timeline: Timeline;
  readonly #registers: RegisterAccesses;
  readonly #search: JustInTimeSearch;
  readonly #violations: PfnViolation[] = [];
  readonly #unknown: number[] = [];
  #violated = 0;
  #operations = 0;
  #pfns = 0;

  constructor(log: StoredLog, { stepsMax = STEPS_MAX, violationsMax = VIOLATIONS_MAX }: CheckLogOptions) {
    this.#log = log;
    this.#stepsMax = stepsMax;
    this.#violationsMax = violationsMax;
    this.#timeline = new Timeline(log);
    this.#registers = new RegisterAccesses(log.codec);
    this.#search = new JustInTimeSearch(this.#registers);
  }

  report(): LogRegisterReport {
    this.#readAll();
    return {
      verdict: this.#violated > 0 ? 'violated' : this.#unknown.length > 0 ? 'unknown' : 'ok',
      operations: this.#operations,
      pfns: this.#pfns,
      violations: this.#violations,
      violatedPfns: this.#violated,
      unknown: this.#unknown,
    };
  }

  #readAll(): void {
    const log = this.#log;
    let accesses = new LogAccesses(log.codec);
    for (let block = 0; block < log.blocks; block++) {
      const batch = log.read(block);
      for (let row = 0; row < batch.length;) {
        row = accesses.take(batch, row, log.seqOf(block));
        if (row === batch.length) break;
        this.#check(accesses);
        accesses = new LogAccesses(log.codec);
      }
    }
    this.#check(accesses);
  }

  #check(accesses: LogAccesses): void {
    const { begin } = accesses;
    if (begin === undefined) return;
    this.#timeline.goTo(begin);
    for (const group of accesses.groups()) {
      for (let pfn = group.pfnStart; pfn < group.pfnEnd; pfn++) {
        if (group.has(pfn)) this.#checkPfn(pfn, accesses, group);
      }
    }
  }

  #checkPfn(pfn: number, { store }: LogAccesses, group: AccessGroup): void {
    const { memory } = this.#timeline;
    const registers = this.#registers;
    registers.load(store, group, pfn, leafClass(memory, pfn) !== LeafClass.beyond);
    if (registers.told === 0) return;
    this.#pfns++;
    this.#operations += registers.told;
    const initial = lookUp(memory, pfn);
    const verdict = this.#search.run(initial, registers.count + this.#stepsMax);
    if (verdict === 'unknown') this.#unknown.push(pfn);
    if (verdict !== 'violated' || ++this.#violated > this.#violationsMax) return;
    const guilty = guiltyAccesses(registers, this.#search, initial);
    this.#violations.push({ pfn, initial, guilty: guilty.map((access) => this.#told(access)) });
  }

  #told(access: number): GuiltyOperation {
    const call = this.#registers.call[access]!;
    const end = this.#registers.end[access]!;
    const block = this.#log.blockOf(call);
    const op = this.#log.read(block).op[call - this.#log.seqOf(block)]!;
    return { op, call, end: end === NEVER ? NO_RETURN : end };
  }
}
