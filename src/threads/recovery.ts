import { assert, EventBatch, kindName, KINDS, Role } from '../../events/index.js';
import { apply } from '../memory/apply.js';
import { changedWords } from '../memory/changed_words.js';
import { ATTEMPTS, POOL_HEAD } from '../memory/layout.js';
import type { Memory } from '../memory/memory.js';
import { ptePage } from '../memory/pte.js';
import { Control, ThreadWord, threadWords } from './control.js';
import { ROW_INTS } from './event_ring.js';
import { inherit, ownerOf, Spinlock, SPINLOCK_WORDS } from './spinlock.js';

const ALLOC_PAGE = KINDS.alloc_page.id;
const ALLOC_FAILED = KINDS.alloc_failed.id;
const FREE_PAGE = KINDS.free_page.id;
const FILL_PAGE = KINDS.fill_page.id;
const SET_PTE = KINDS.set_pte.id;

/** What was found of a thread that died. */
export interface Recovered {
  readonly thread: number;
  /** Whether it died with the engine's lock in its hands. */
  readonly heldLock: boolean;
  /** The event that it was in the middle of, which was then finished; undefined where there was none. */
  readonly finished: string | undefined;
}

/** What a thread that has died leaves to be settled. */
export interface Remains {
  readonly memory: Memory;
  readonly control: Int32Array;
  /** Its ring. */
  readonly rows: Int32Array;
  readonly thread: number;
}

/**
 * Settles what a thread was in the middle of when it died: an event whose row was whole is finished and published, one that had
 * only a number is nobody's, and the engine's lock is given back. From here on the thread counts as dead: whoever waits for
 * p2m_update_lock that it holds is told so.
 *
 * Nothing of the thread runs any more. The caller is no thread of the domain: its number is theirs and one above. Once a thread.
 */
export function recover({ memory, control, rows, thread }: Remains, caller: number): Recovered {
  const lock = control.subarray(Control.lock, Control.lock + SPINLOCK_WORDS);
  const words = threadWords(thread);
  const heldLock = ownerOf(lock) === thread && inherit(lock, thread, caller);
  const head = control[words + ThreadWord.head]!;
  const next = (head + 1) | 0;
  let finished: string | undefined;
  if (control[words + ThreadWord.intent] === next) {
    assert(heldLock, `thread ${thread} changed memory without the engine's lock`);
    const batch = rowOf(rows, head);
    settle(memory, batch, control[words + ThreadWord.attempts]!);
    finished = kindName(batch.kind[0]!);
    Atomics.store(control, words + ThreadWord.head, next);
  } else if (control[words + ThreadWord.taking] === next) {
    Atomics.store(control, words + ThreadWord.lost, 1);
  }
  Atomics.store(control, words + ThreadWord.dead, 1);
  if (heldLock) new Spinlock(lock, caller).release();
  return { thread, heldLock, finished };
}

/**
 * Makes the event of the batch true where some of its words may have been stored already: what is stored twice is the same. So
 * many attempts to allocate had been counted before it.
 */
export function settle(memory: Memory, batch: EventBatch, attempts: number): void {
  const { words } = memory;
  const [a, b] = [batch.a[0]!, batch.b[0]!];
  switch (batch.kind[0]!) {
    case ALLOC_PAGE:
      words[POOL_HEAD + memory.poolOf(batch.cpu[0]!)] = a + 1;
      memory.applyRole(a, b);
      words[ATTEMPTS] = attempts + 1;
      return;
    case ALLOC_FAILED:
      words[ATTEMPTS] = attempts + 1;
      return;
    case FREE_PAGE:
    case FILL_PAGE:
      return apply(memory, batch, 0);
    case SET_PTE:
      relink(memory, batch);
  }
  changedWords(memory, batch, 0, { change: (address, _old, now) => (words[address] = now) });
}

/** The flat memory moves the words of a leaf that is linked; where it has done so, all that is left to store is the PTE. */
function relink(memory: Memory, batch: EventBatch): void {
  const [pfn, ptPage, old, now] = [batch.a[0]!, batch.b[0]!, batch.c[0]!, batch.d[0]!];
  const leaf = ptePage(now);
  const isMoved = memory.kind === 'flat' && memory.homes[leaf] === memory.layout.linearBase + (pfn & ~memory.leafMask);
  if (!isMoved) {
    assert(memory.role(ptePage(old)) !== Role.leaf, 'no operation takes a private leaf away');
    memory.applyLink(pfn, ptPage, old, now);
  }
}

/** The row at `head`, as a batch of one. */
function rowOf(rows: Int32Array, head: number): EventBatch {
  const at = (head & (rows.length / ROW_INTS - 1)) * ROW_INTS;
  const batch = new EventBatch(1);
  const [, kindCpu, op, a, b, c, d, e] = rows.subarray(at, at + ROW_INTS);
  batch.push(kindCpu! & 0xff, kindCpu! >>> 8, op!, a, b, c, d, e);
  return batch;
}
