import { usageError, type Word } from '../../../events/index.js';
import { lookUp } from '../../../src/index.js';
import type { StateSink } from '../../explore/program.js';
import { linearizable, SMALL_REGISTER_MAX, type SmallRegister } from '../../history/small_register.js';
import type { ScenarioOperation } from '../scenario.js';
import type { CheckedRun, CheckFamily, PathEnd, TakenStep } from './check_family.js';
import { Progress, saysWhy, type RegisterHistory } from './register_history.js';
import { isLookUp } from './look_checks.js';

/** An operation that reads or writes an entry. */
interface Access {
  readonly thread: number;
  readonly isWrite: boolean;
  /** What it writes. */
  readonly value: Word;
  /** `lookup 0x402 by B (operation 3)`. */
  readonly name: string;
  readonly register: Register;
  /** Its place among the operations of its pfn. */
  readonly place: number;
}

/** A pfn with the operations on it. */
interface Register {
  readonly pfn: number;
  readonly initial: Word;
  /** Numbers of its operations. */
  readonly operations: number[];
  /** Operations of more than one thread: then it is not the scenario alone that says who comes after whom. */
  isContended: boolean;
  readonly verdicts: Map<string, boolean>;
}

/** Columns of the image: by operation how far it is, who had returned when it began, what it returned. */
const COLUMNS = 3;
const AFTER_KEYS = 2 ** 31 - 16384;

/**
 * Look-ups fit the sets of their pfn (I5, coherent translations): the operations on one pfn, and a look-up of it when all
 * is quiet, can be put into an order in which each comes after those that had returned before its first step, and each
 * look-up finds what was set last (Herlihy and Wing 1990). Pfns are taken one by one: a history is linearizable where that
 * of each register is.
 *
 * A set that returned false has no effect; one that an assertion cut off, or that is still in hand, may have had.
 */
export class RegisterChecks implements CheckFamily {
  /** Nothing in it changes. By operation COLUMNS words, then by thread how many of its operations have ended. */
  image: Int32Array;
  readonly #run: CheckedRun;
  /** By number of the operation, thread by thread; undefined: it touches no entry. */
  readonly #accesses: readonly (Access | undefined)[];
  /** By thread: number of its first operation. */
  readonly #first: readonly number[];
  readonly #registers = new Map<number, Register>();

  /** Before the run. @throws {P2mError} code `usage`: more operations on one pfn than the search takes */
  constructor(run: CheckedRun) {
    this.#run = run;
    const { threads } = run.scenario;
    this.#first = threads.map((_, thread) => threads.slice(0, thread).reduce((sum, { length }) => sum + length, 0));
    this.#accesses = threads.flatMap((operations, thread) =>
      operations.map((operation, index) => this.#access(operation, thread, index)),
    );
    this.image = new Int32Array(COLUMNS * this.#accesses.length + threads.length);
    for (const { pfn, operations } of this.#registers.values()) {
      if (operations.length < SMALL_REGISTER_MAX) continue;
      throw usageError('too many operations on one pfn for the check not-linearizable', {
        got: `${operations.length} on ${run.words.pfn(pfn)}`,
        expected: `at most ${SMALL_REGISTER_MAX - 1}, or a scenario with \`check\`s of its own`,
      });
    }
  }

  /** `thread` is about to step, in the middle of `operation`. */
  beforeStep(thread: number, operation: ScenarioOperation | undefined): void {
    if (operation === undefined) return;
    const number = this.#first[thread]! + this.image[this.#endedAt(thread)]!;
    if (this.image[COLUMNS * number] === Progress.ahead) this.#begin(number);
  }

  afterStep({ thread, finished }: TakenStep): void {
    for (const { value } of finished) {
      const number = this.#first[thread]! + this.image[this.#endedAt(thread)]!;
      if (this.image[COLUMNS * number] === Progress.ahead) this.#begin(number);
      const image = this.image.slice();
      image[this.#endedAt(thread)]!++;
      this.image = image;
      const access = this.#accesses[number];
      if (access !== undefined) this.#end(number, access, value);
    }
  }

  atEnd({ isQuiet, found }: PathEnd): void {
    if (!isQuiet || !found.isOpen('not-linearizable')) return;
    for (const register of this.#registers.values()) {
      const last = lookUp(this.#run.memory, register.pfn);
      if (this.#isInOrder(register, last)) continue;
      const history = this.#historyOf(register, last);
      found.raise('not-linearizable', () => saysWhy(history, this.#run.words));
    }
  }

  /** Who had returned when whom began: what they returned, the threads know. */
  state(into: StateSink): void {
    for (let number = 0; number < this.#accesses.length; number++) {
      const after = this.image[COLUMNS * number + 1]!;
      if (after !== 0 && this.#accesses[number]!.register.isContended) into.add(AFTER_KEYS + number, after);
    }
  }

  #access(operation: ScenarioOperation, thread: number, index: number): Access | undefined {
    const [kind, pfn, value] = operation;
    if (kind === 'alloc') return undefined;
    const { memory, words } = this.#run;
    let register = this.#registers.get(pfn);
    if (register === undefined) {
      const initial = lookUp(memory, pfn);
      register = { pfn, initial, operations: [], isContended: false, verdicts: new Map<string, boolean>() };
      this.#registers.set(pfn, register);
    }
    const place = register.operations.push(this.#first[thread]! + index) - 1;
    // Threads come one after the other: the first of its operations is of another thread if any is.
    const opener = register.operations[0]!;
    if (opener < this.#first[thread]!) register.isContended = true;
    return {
      thread,
      isWrite: !isLookUp(operation),
      value: value === undefined ? 0 : memory.codec.parse(value),
      name: words.numbered(thread, index),
      register,
      place,
    };
  }

  /** Where the image has how many operations of the thread have ended. */
  #endedAt(thread: number): number {
    return COLUMNS * this.#accesses.length + thread;
  }

  #begin(number: number): void {
    const access = this.#accesses[number];
    const image = this.image.slice();
    image[COLUMNS * number] = Progress.begun;
    if (access !== undefined) {
      let after = 0;
      access.register.operations.forEach((other, place) => {
        if (image[COLUMNS * other] === Progress.done) after |= 1 << place;
      });
      image[COLUMNS * number + 1] = after;
    }
    this.image = image;
  }

  #end(number: number, { isWrite, register }: Access, value: Word | undefined): void {
    const at = COLUMNS * number;
    // What an assertion cut off stays begun.
    if (value === undefined) return;
    const isVoid = isWrite && value === 0;
    this.image[at] = isVoid ? Progress.none : Progress.done;
    this.image[at + 2] = value;
    if ((isWrite && !isVoid) || !this.#run.found.isOpen('not-linearizable') || this.#isInOrder(register)) return;
    const history = this.#historyOf(register);
    this.#run.found.raise('not-linearizable', () => saysWhy(history, this.#run.words));
  }

  /** Whether the operations so far, and a look-up now that returned `last`, have an order. */
  #isInOrder(register: Register, last?: Word): boolean {
    const { operations, verdicts } = register;
    const key: (number | undefined)[] = [last];
    for (const number of operations) for (let i = 0; i < COLUMNS; i++) key.push(this.image[COLUMNS * number + i]);
    const text = key.join(' ');
    let verdict = verdicts.get(text);
    if (verdict === undefined) {
      verdict = linearizable(this.#small(register, last));
      verdicts.set(text, verdict);
    }
    return verdict;
  }

  #small(register: Register, last?: Word): SmallRegister {
    const { initial, operations } = this.#historyOf(register, last);
    return {
      count: operations.length,
      isWrite: operations.map(({ isWrite }) => (isWrite ? 1 : 0)),
      value: operations.map(({ value }) => value),
      isDone: operations.map(({ isDone }) => (isDone ? 1 : 0)),
      after: operations.map(({ after }) => after),
      initial,
    };
  }

  /** All operations keep their places: one that says nothing is a look-up that has not returned. */
  #historyOf({ pfn, initial, operations }: Register, last?: Word): RegisterHistory {
    const history = operations.map((number) => {
      const access = this.#accesses[number]!;
      const progress = this.image[COLUMNS * number]!;
      const isWrite = access.isWrite && (progress === Progress.begun || progress === Progress.done);
      const value = access.isWrite ? access.value : this.image[COLUMNS * number + 2]!;
      const isDone = progress === Progress.done;
      return { name: access.name, isWrite, value, isDone, after: this.image[COLUMNS * number + 1]! };
    });
    if (last === undefined) return { pfn, initial, operations: history };
    const name = `a look-up of ${this.#run.words.pfn(pfn)} at the end`;
    const after = history.reduce((bits, { isDone }, place) => (isDone ? bits | (1 << place) : bits), 0);
    const end = { name, isWrite: false, value: last, isDone: true, after };
    return { pfn, initial, operations: [...history, end] };
  }
}
