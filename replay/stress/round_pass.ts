import { AssertionError, KINDS, kindName, P2mError, type EventBatch, type StoredLog } from '../../events/index.js';
import { lookUp, type Memory } from '../../src/index.js';
import { Timeline } from '../audit/timeline.js';
import { stateDigest, type StateDigest } from '../events/state_digest.js';
import { OUTCOME_KINDS, OutcomeTable, type OutcomeRow } from './outcome_table.js';
import { RoundBooks, type RoundAccounts } from './page_accounting.js';

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const WARN = KINDS.warn.id;
const LOCK = KINDS.lock.id;

/** By kind: what is done with it. */
const Does = { nothing: 0, call: 1, return: 2, outcome: 3, lock: 4 } as const;
const DOES = new Uint8Array(256);
for (const kind of OUTCOME_KINDS) DOES[kind] = Does.outcome;
DOES[CALL] = Does.call;
DOES[RETURN] = Does.return;
DOES[LOCK] = Does.lock;

/** By kind: whether it changes memory. */
const MUTATES = Uint8Array.from({ length: 256 }, (_, id) => {
  const name = kindName(id);
  return name !== undefined && KINDS[name].mutates ? 1 : 0;
});

/** A warning that was printed. */
export interface LoggedWarning {
  readonly warning: number;
  readonly pfn: number;
  readonly seq: number;
  readonly op: number;
  readonly cpu: number;
}

/** What one way through a log gives that is played into a fresh memory. */
export interface PlayedLog {
  readonly accounts: RoundAccounts;
  readonly outcomes: readonly OutcomeRow[];
  /** The first `WARNINGS_MAX`. */
  readonly warnings: readonly LoggedWarning[];
  /** The event that took p2m_update_lock last, and its operation; -1 and 0 where none did. */
  readonly lastLock: { readonly seq: number; readonly op: number };
  /** The memory behind the last event, and its digests. */
  readonly memory: Memory;
  readonly digest: StateDigest;
}

/** A log that does not fit: the event that overwrites what was not there. */
export interface MisfitLog {
  readonly seq: number;
  readonly says: string;
}

const WARNINGS_MAX = 100;

/**
 * Plays a round's log into a fresh memory, event by event: each must find what it says it overwrites, for that is the proof
 * that the log is in the order of memory. On the way the books are kept and outcomes counted.
 * @throws {P2mError} the log is damaged, or no memory can be built by its header
 */
export function playRoundLog(log: StoredLog, kind: Memory['kind']): PlayedLog | MisfitLog {
  const timeline = new Timeline(log, kind);
  try {
    return new RoundPass(log, timeline).play();
  } catch (error) {
    // What is damaged says so when it is read, not when it is applied.
    if (!(error instanceof P2mError || error instanceof AssertionError) || timeline.at === log.events) throw error;
    return { seq: timeline.at, says: error.message };
  }
}

class RoundPass {
  readonly #log: StoredLog;
  readonly #timeline: Timeline;
  readonly #books: RoundBooks;
  readonly #outcomes: OutcomeTable;
  readonly #warnings: LoggedWarning[] = [];
  /** The last event that changed memory: its number, and where it may change a look-up, its kind and pfn. */
  #changed = -1;
  #changedKind = 0;
  #changedPfn = 0;
  #lockSeq = -1;
  #lockOp = 0;

  constructor(log: StoredLog, timeline: Timeline) {
    this.#log = log;
    this.#timeline = timeline;
    this.#books = new RoundBooks(timeline.memory);
    this.#outcomes = new OutcomeTable(timeline.memory, this.#books.calls);
  }

  play(): PlayedLog {
    const { blocks } = this.#log;
    for (let block = 0; block < blocks; block++) this.#block(this.#log.read(block), this.#log.seqOf(block));
    this.#timeline.goTo(this.#log.events);
    const outcomes = this.#outcomes.finish();
    const { memory } = this.#timeline;
    return {
      outcomes,
      accounts: this.#books.finish(),
      warnings: this.#warnings,
      lastLock: { seq: this.#lockSeq, op: this.#lockOp },
      memory,
      digest: stateDigest(memory),
    };
  }

  #block(batch: EventBatch, start: number): void {
    const { kind, length } = batch;
    for (let i = 0; i < length; i++) {
      const does = DOES[kind[i]!]!;
      this.#books.note(batch, i);
      if (does !== Does.nothing) this.#outcome(does, batch, i, start + i);
      if (MUTATES[kind[i]!] === 1) {
        this.#changed = start + i;
        this.#changedKind = kind[i]!;
        this.#changedPfn = batch.a[i]!;
      }
    }
  }

  #outcome(does: number, batch: EventBatch, i: number, seq: number): void {
    const timeline = this.#timeline;
    const outcomes = this.#outcomes;
    switch (does) {
      case Does.call:
        timeline.goTo(seq);
        this.#books.calls.called(batch, i, seq);
        outcomes.called(batch.cpu[i]!);
        this.#seeBefore(batch.cpu[i]!, seq);
        return;
      case Does.return:
        timeline.goTo(seq);
        outcomes.returned(batch, i, seq);
        this.#books.calls.returned(batch, i);
        return;
      case Does.lock:
        this.#lockSeq = seq;
        this.#lockOp = batch.op[i]!;
        return;
      default:
        timeline.goTo(seq + 1);
        outcomes.note(batch, i);
        if (batch.kind[i] === WARN) this.#warn(batch, i, seq);
    }
  }

  /**
   * A thread takes the number of an event, and then changes the memory: before the next number of that sort is given out, but a
   * look-up that began in between may still find what was there before.
   */
  #seeBefore(cpu: number, seq: number): void {
    if (!this.#outcomes.mayConcern(cpu, this.#changedKind, this.#changedPfn)) return;
    this.#timeline.goTo(this.#changed);
    this.#outcomes.sawBefore(cpu);
    this.#timeline.goTo(seq);
  }

  #warn(batch: EventBatch, i: number, seq: number): void {
    if (this.#warnings.length >= WARNINGS_MAX) return;
    const pfn = batch.c[i]! * 2 ** 32 + (batch.b[i]! >>> 0);
    this.#warnings.push({ warning: batch.a[i]!, pfn, seq, op: batch.op[i]!, cpu: batch.cpu[i]! });
  }
}

/** The first pfn below `pfnEnd` whose look-ups differ in two memories; undefined where none does. */
export function firstDifferentPfn(a: Memory, b: Memory, pfnEnd: number): number | undefined {
  for (let pfn = 0; pfn < pfnEnd; pfn++) {
    const [x, y] = [lookUp(a, pfn), lookUp(b, pfn)];
    if (a.codec.rawLo(x) !== b.codec.rawLo(y) || a.codec.rawHi(x) !== b.codec.rawHi(y)) return pfn;
  }
  return undefined;
}
