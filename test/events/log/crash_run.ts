/**
 * A writer on a disk that fails, what comes after it, and what must hold then.
 *
 * The run: batches are appended, each acknowledged when its `append` returns; where one is refused the writer tries again,
 * or opens the log anew, as the store tells it to. When machine or process goes down, the next process reads what it finds,
 * opens the log for appending, goes on to the last batch, closes it, and the power goes once more.
 */
import {
  EntryCodec,
  EventBatch,
  KINDS,
  LogStore,
  mfnWord,
  P2mError,
  printLines,
  SegmentedLog,
  verifyLog,
  type EventsHeader,
  type LogStorage,
  type SyncPolicy,
} from '../../../events/index.js';
import { Down, FaultyDisk, type Chance, type Fault, type Operation } from './faulty_disk.js';

/** What the log of a run says before its events. */
export const RUN_HEADER: EventsHeader = { geometry: 'tiny', kernel: '7.0', entryBits: 64 };

/** Events [start, end) of the one run: the same for the same numbers. Some have payloads, some values that are wide. */
export function eventsOf(codec: EntryCodec, start: number, end: number): EventBatch {
  const batch = new EventBatch();
  for (let i = start; i < end; i++) {
    if (i % 10 === 7) batch.push(KINDS.load_entries.id, 0, 1, 64, batch.pushPayload([4, codec.fromRaw(7, i), 0]));
    else
      batch.push(KINDS.set_entry.id, 0, 1, 8, i, i % 3 === 0 ? codec.fromRaw(0x1234, i % 30) : mfnWord(i), mfnWord(i));
  }
  return batch;
}

/** How a run is laid out. */
export interface RunPlan {
  readonly appends: number;
  /** Events of append `i`. */
  readonly eventsIn: (i: number) => number;
  readonly segmentBytes: number;
  /** Default `batch`; the clock of `everyMs` is the writer's: a millisecond an append. */
  readonly sync?: 'batch' | 'never' | { readonly everyMs: number };
  /** The log is one file, however long. */
  readonly oneFile?: boolean;
}

/** A short log: an append of one to three events, one of forty in between, a few appends a segment. */
export const SHORT_RUN: RunPlan = {
  appends: 40,
  eventsIn: (i) => (i % 10 === 9 ? 40 : 1 + (i % 3)),
  segmentBytes: 1500,
};

const TRUTHS = new Map<number, readonly string[]>();

/** Texts of the events [0, count) of every run, a line each. */
export function truth(count: number): readonly string[] {
  const known = TRUTHS.get(count);
  if (known !== undefined) return known;
  const codec = new EntryCodec(64);
  const lines = printLines(eventsOf(codec, 0, count), codec)
    .trimEnd()
    .split('\n');
  TRUTHS.set(count, lines);
  return lines;
}

/** The writers of a run: those of one process after the other. */
export class Writer {
  readonly #plan: RunPlan;
  /** Number of the first event of each append, and behind the last. */
  readonly #starts: readonly number[];
  /** Events that were acknowledged, and that were handed to a store. */
  acknowledged = 0;
  attempted = 0;
  /** Events that the policy promises after a power cut; after a kill it promises all that were acknowledged. */
  promised = 0;
  /** Acknowledged events that power cuts were allowed to take, and took. */
  taken = 0;
  #now = 0;
  #syncedAt = 0;
  /** What was acknowledged when the power went, until the next process has seen what is left. */
  #before = 0;
  /** Where the store came back with fewer events than it had acknowledged. */
  readonly losses: string[] = [];
  /** Complaints of the store. */
  readonly complaints: string[] = [];

  constructor(plan: RunPlan) {
    this.#plan = plan;
    const starts = [0];
    for (let i = 0; i < plan.appends; i++) starts.push(starts[i]! + plan.eventsIn(i));
    this.#starts = starts;
  }

  /** Events of the whole run. */
  get events(): number {
    return this.#starts.at(-1)!;
  }

  /**
   * Appends what is missing, and closes the log; begins it if there is none. Returns false where the store refuses it again
   * and again.
   * @throws {Down} as the disk does
   */
  async write(storage: LogStorage): Promise<boolean> {
    for (let tries = 0; tries < 20; tries++) if (await this.#tryToWrite(storage)) return true;
    return false;
  }

  async #tryToWrite(storage: LogStorage): Promise<boolean> {
    const codec = new EntryCodec(64);
    // Handles mean something only beside their codec: each process has others.
    codec.fromRaw(0x99, this.complaints.length + this.acknowledged);
    const store = await this.#told(storage, () =>
      LogStore.open(storage, RUN_HEADER, codec, { segmentBytes: this.#plan.segmentBytes, sync: this.#policy() }),
    );
    if (store === undefined) return false;
    this.taken += Math.max(0, this.#before - store.events);
    this.#before = 0;
    if (store.events < this.acknowledged) {
      this.losses.push(`opened with ${store.events} events, ${this.acknowledged} were acknowledged`);
      this.acknowledged = store.events;
    }
    for (let i = this.#appendAt(store.events); i < this.#plan.appends; i++) {
      if (!(await this.#append(storage, store, codec, this.#starts[i + 1]!))) {
        // What a program does whose log is broken, before it opens it anew.
        await this.#did(storage, () => store.close());
        return false;
      }
    }
    for (let tries = 0; tries < 3; tries++) if (await this.#did(storage, () => store.close())) return true;
    return false;
  }

  /** The machine went down: from here on nothing counts that was not promised. */
  powerWasCut(): void {
    this.#before = this.acknowledged;
    this.acknowledged = this.promised;
  }

  #policy(): SyncPolicy {
    const { sync = 'batch' } = this.#plan;
    this.#syncedAt = this.#now;
    return typeof sync === 'object' ? { ...sync, now: () => this.#now } : sync;
  }

  /** What the policy promises once events [start, end) are acknowledged. */
  #promise(start: number, end: number, hasNewSegment: boolean): void {
    const { sync = 'batch' } = this.#plan;
    const isLate = typeof sync === 'object' && this.#now - this.#syncedAt >= sync.everyMs;
    if (isLate) this.#syncedAt = this.#now;
    if (sync === 'batch' || isLate) this.promised = end;
    // A segment that is full is on disk before the next is begun.
    else if (hasNewSegment) this.promised = Math.max(this.promised, start);
  }

  /** Appends the events up to `end`, asking twice. */
  async #append(storage: LogStorage, store: LogStore, codec: EntryCodec, end: number): Promise<boolean> {
    const start = this.acknowledged;
    const batch = eventsOf(codec, start, end);
    this.attempted = Math.max(this.attempted, end);
    this.#now++;
    const segments = storage.list().length;
    for (let tries = 0; tries < 2; tries++) {
      if (!(await this.#did(storage, () => store.append(batch, start)))) continue;
      this.acknowledged = end;
      this.#promise(start, end, storage.list().length > segments);
      return true;
    }
    return false;
  }

  /** The append that brings event `seq`, or what follows it. */
  #appendAt(seq: number): number {
    const i = this.#starts.findIndex((start) => start >= Math.min(seq, this.acknowledged));
    return this.#starts[i]! > seq ? i - 1 : i;
  }

  /** What the store gives; undefined where it complains. */
  async #told<T>(storage: LogStorage, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof P2mError)) throw error;
      // A machine that is down may look to the store like an error of its disk.
      storage.list();
      this.complaints.push(error.message);
      return undefined;
    }
  }

  /** Whether the store did it. */
  async #did(storage: LogStorage, act: () => Promise<unknown>): Promise<boolean> {
    return (await this.#told(storage, () => act().then(() => true))) ?? false;
  }
}

/**
 * What is wrong with a log that must hold the events [0, at least) and may hold more, of all `lines`. A log that a crash has
 * left may be refused where its last segment has no whole header yet: whoever opens it for appending mends that.
 */
export function wrongWith(storage: LogStorage, atLeast: number, lines: readonly string[], isClosed = false): string[] {
  const wrongs: string[] = [];
  const complain = (error: unknown): void => {
    if (!(error instanceof P2mError)) throw error;
    if (atLeast > 0) wrongs.push(`refused: ${error.message}`);
  };
  if (storage.list().length === 0) return atLeast > 0 ? [`the log of ${atLeast} events is gone`] : [];
  try {
    const log = new SegmentedLog('log', storage);
    wrongs.push(...wrongEvents(log, lines));
    if (log.events < atLeast) wrongs.push(`${log.events} events, ${atLeast} were acknowledged`);
    if (isClosed && log.end.kind !== 'closed') wrongs.push(`the log that was closed is ${log.end.kind}`);
    if (isClosed) wrongs.push(...[...verifyLog(storage)].map(({ message }) => `verify: ${message}`));
  } catch (error) {
    complain(error);
  }
  return wrongs;
}

/** Where what a reader hands on is no beginning of the truth. */
export function wrongEvents(log: SegmentedLog, lines: readonly string[]): string[] {
  for (let block = 0; block < log.blocks; block++) {
    const seq = log.seqOf(block);
    const got = printLines(log.read(block), log.codec, seq).trimEnd().split('\n');
    for (const [i, line] of got.entries()) {
      if (line !== lines[seq + i]) return [`event ${seq + i} is ${line}, not ${lines[seq + i] ?? 'there'}`];
    }
  }
  return [];
}

/** What a run with faults came to. */
export interface RunResult {
  readonly wrongs: readonly string[];
  /** How many faults were met: a run has only so many operations. */
  readonly faults: number;
  readonly complaints: readonly string[];
  /** Acknowledged events that power cuts took, as the policy lets them. */
  readonly taken: number;
}

/** A fault at the operations that it picks; `index` counts those of a process. */
export type FaultPlan = (operation: Operation, index: number) => Fault | undefined;

/** The fault at operation `index`, and at those that follow while there are `count`. */
export function faultAt(index: number, fault: Fault, count = 1): FaultPlan {
  return (_, i) => (i >= index && i < index + count ? fault : undefined);
}

/** What is other than a disk and a writer should be. */
export interface RunOptions {
  readonly lies?: boolean;
  /** What the writer is given for the disk. */
  readonly wrap?: (disk: LogStorage) => LogStorage;
}

/**
 * The whole run, process after process until one comes to the end.
 *
 * @param plans  how the disk fails the first process, the second, ...; later ones meet no fault
 * @param chance decides what a fault leaves
 */
export async function crashRun(
  run: RunPlan,
  plans: readonly FaultPlan[],
  chance: Chance,
  { lies = false, wrap = (disk) => disk }: RunOptions = {},
): Promise<RunResult> {
  const writer = new Writer(run);
  const lines = truth(writer.events);
  const wrongs: string[] = [];
  let disk = new FaultyDisk({ oneFile: run.oneFile ?? false });
  let faults = 0;
  for (let process = 0; ; process++) {
    let cause: Fault | undefined;
    const plan = plans[process];
    disk = disk.afterKill({ chance, lies, plan: (operation, index) => (cause = plan?.(operation, index)) });
    const end = await endOf(() => writer.write(wrap(disk)));
    faults += disk.faults;
    if (end === 'refused') wrongs.push(`the log cannot be written: ${writer.complaints.at(-1)}`);
    if (end !== 'down') break;
    const found = cause === 'kill' ? disk.afterKill() : disk.afterPowerCut(chance);
    if (cause !== 'kill') writer.powerWasCut();
    const attempted = lines.slice(0, writer.attempted);
    wrongs.push(...wrongWith(found, writer.acknowledged, attempted).map((what) => `process ${process}: ${what}`));
    disk = found;
  }
  wrongs.push(...writer.losses);
  const written = disk.afterKill();
  wrongs.push(...wrongWith(written, writer.events, lines, true).map((what) => `at last: ${what}`));
  const later = written.afterPowerCut(chance);
  wrongs.push(...wrongWith(later, writer.events, lines, true).map((what) => `after all: ${what}`));
  return { wrongs, faults, complaints: writer.complaints, taken: writer.taken };
}

async function endOf(write: () => Promise<boolean>): Promise<'written' | 'refused' | 'down'> {
  try {
    return (await write()) ? 'written' : 'refused';
  } catch (error) {
    if (error instanceof Down) return 'down';
    throw error;
  }
}
