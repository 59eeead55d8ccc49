import {
  Global,
  inputError,
  KINDS,
  SegmentedLog,
  type CutTail,
  type EventsHeader,
  type LogStorage,
} from '../events/index.js';
import type { EventPlayer, MemoryKind } from '../replay/index.js';
import { apply, type Domain } from '../src/index.js';
import type { Engine, EngineOptions } from '../src/library.js';
import { KeptLog, lockOf, type KeptLogOptions } from './kept_log.js';
import { LockFile } from './lock_file.js';
import { logStorage } from './log_storage.js';
import { OperationTail, type LostOperation } from './operation_tail.js';

/** How an engine goes on with a log. What its domain is made of, the log says. */
export interface ResumeOptions
  extends KeptLogOptions, Pick<EngineOptions, 'queueMax' | 'pendingMax' | 'patience' | 'logger' | 'clock'> {
  /** Default `paged`. */
  readonly memory?: MemoryKind;
  /**
   * What is done where an operation that was lost holds the modelled p2m_update_lock, for which every later one would wait
   * for ever: `refuse` (the default), or `release`, which is an event of the log, of the operation that was lost.
   */
  readonly heldLock?: 'refuse' | 'release';
}

/** An engine that goes on, and what its log told. */
export interface ResumedEngine {
  readonly engine: Engine;
  /** Events that were in the log. */
  readonly events: number;
  /** Operations that were in the middle: what they had done stays done, and they never return. */
  readonly lost: readonly LostOperation[];
  /** What a crash had torn, and was cut; undefined where the log ended whole. */
  readonly cut: CutTail | undefined;
}

/**
 * An engine that goes on with the log at `path`, that `keepLog` wrote: every event of it is played, and checked against the
 * memory it leads into; its domain stands as it stood at the last of them, and new events follow it. Numbers of operations go
 * on; the task of the last operation on a CPU is not that of the next.
 *
 * Reads the whole log: as long as a replay.
 *
 * @throws {P2mError} somebody writes the log; there is none; it is damaged, or its events do not fit each other (all of that:
 *   nothing was changed); an operation that was lost holds p2m_update_lock
 */
export async function resumeEngine(path: string, options: ResumeOptions = {}): Promise<ResumedEngine> {
  const { memory = 'paged', heldLock = 'refuse', queueMax, pendingMax, patience, logger, clock, ...kept } = options;
  const storage = options.storage ?? logStorage(path);
  if (storage.list().length === 0) throw inputError('no log of events', { file: path, expected: 'one to go on with' });
  const lock = LockFile.take(lockOf(path));
  let cut: CutTail | undefined;
  const played = await whileHeld(lock, () => playLog(path, storage, memory, heldLock));
  const { header, player, tail, lost } = played;
  const log = new KeptLog(path, header, player.memory.codec, {
    ...kept,
    onCut: (what) => {
      cut = what;
      kept.onCut?.(what);
    },
  });
  await log.goOn(player.events, lock);
  const { Engine } = await import('../src/library.js');
  const engine = new Engine({
    ...given({ queueMax, pendingMax, patience, logger, clock, origin: header.origin }),
    ...domainOf(header, player, tail),
    log: () => log,
    resumedAt: player.events,
  });
  settle(engine.domain, tail, lost);
  return { engine, events: player.events, lost, cut };
}

/** What the log's events make, and how they end. */
interface Played {
  readonly header: EventsHeader;
  readonly player: EventPlayer;
  readonly tail: OperationTail;
  readonly lost: readonly LostOperation[];
}

async function playLog(
  path: string,
  storage: LogStorage,
  memory: MemoryKind,
  heldLock: 'refuse' | 'release',
): Promise<Played> {
  const { EventPlayer } = await import('../replay/index.js');
  const log = new SegmentedLog(path, storage);
  try {
    const player = new EventPlayer(log.header, log.codec, path, memory);
    const tail = new OperationTail(log.codec);
    for (let block = 0; block < log.blocks; block++) {
      const batch = log.read(block);
      player.play(batch, log.seqOf(block));
      tail.read(batch, log.seqOf(block));
    }
    const lockWord = player.memory.words[Global.p2m_update_lock]!;
    const lost = tail.lost(lockWord);
    if (lockWord !== 0 && heldLock === 'refuse') throw lockIsHeld(path, lockWord - 1, lost);
    return { header: log.header, player, tail, lost };
  } finally {
    log.close();
  }
}

/** What the domain is made of: the memory as it was played, and the rest by the log's head. */
function domainOf({ capacity }: EventsHeader, { form, memory }: EventPlayer, { lastOp }: OperationTail) {
  const { nrPages, areaPfns, cpus, pools, sparePages, m2pFrames } = capacity!;
  return {
    form,
    geometry: memory.geometry,
    memory,
    nrPages,
    maxPfn: areaPfns,
    cpus,
    pools,
    sparePages,
    m2pFrames,
    ops: { first: lastOp + 1, stride: 1 },
  };
}

/** Says in the log what a reader has to know of what follows: whose operations are not, and that a lost one's lock is free. */
function settle({ memory, batch }: Domain, { taskCpus }: OperationTail, lost: readonly LostOperation[]): void {
  const held = memory.words[Global.p2m_update_lock]!;
  if (held !== 0) {
    const op = lost.find(({ holdsLock }) => holdsLock)?.op ?? 0;
    apply(memory, batch, batch.push(KINDS.unlock.id, held - 1, op));
  }
  for (const cpu of taskCpus) batch.push(KINDS.task.id, cpu, 0);
}

function lockIsHeld(file: string, cpu: number, lost: readonly LostOperation[]): Error {
  const owner = lost.find(({ holdsLock }) => holdsLock);
  const whose =
    owner === undefined ? '' : `, in ${owner.operation} of pfn ${owner.pfn}, which event ${owner.seq} began`;
  return inputError('p2m_update_lock is held by an operation that was lost', {
    file,
    got: `CPU ${cpu}${whose}`,
    expected: 'a free lock: every later operation would wait for it for ever',
    hint: "heldLock: 'release' gives it back, which no kernel would",
  });
}

async function whileHeld<T>(lock: LockFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Only what is there: an absent fact is not a fact of value undefined. */
function given<T extends object>(facts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
