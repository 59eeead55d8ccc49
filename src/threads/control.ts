/**
 * Words that the threads of a domain share beside its memory. What threads write at once stands on cache lines of its own.
 *
 *     0    lock        the engine's (spinlock.ts)
 *     16   next        sequence number that the next event takes; it wraps as int32 does
 *     32   stop        `Stop`
 *     33   ready       threads that wait for the start
 *     34   go          not 0: they start
 *     48   waiters     threads that sleep until p2m_update_lock is given back
 *     64   thread 0    32 words each:
 *          +0  head      rows that it has published in its ring        written by the thread
 *          +1  taking    head + 1 from before it takes a sequence number, until the row is published
 *          +2  intent    head + 1 once that row is whole: what it says is being done
 *          +3  attempts  to allocate, before that row
 *          +4  done      operations that it has ended
 *          +16 tail      rows that were taken out of its ring          written by whoever drains
 *          +17 full      not 0: the thread sleeps until there is room
 *          +18 dead      not 0: it will do nothing more, and what it was in the middle of is settled
 *          +19 lost      1: it died with a sequence number that no event has, perhaps
 */
export const Control = { lock: 0, next: 16, stop: 32, ready: 33, go: 34, waiters: 48, threads: 64 } as const;

/** Values of the stop word: asked, threads end after the operation in hand. */
export const Stop = { none: 0, ask: 1 } as const;

/** Words of a thread, from its first. */
export const ThreadWord = {
  head: 0,
  taking: 1,
  intent: 2,
  attempts: 3,
  done: 4,
  tail: 16,
  full: 17,
  dead: 18,
  lost: 19,
} as const;

const THREAD_WORDS = 32;

/** Bytes of the control words of so many threads. */
export function controlBytes(threads: number): number {
  return (Control.threads + threads * THREAD_WORDS) * 4;
}

/** First word of a thread. */
export function threadWords(thread: number): number {
  return Control.threads + thread * THREAD_WORDS;
}
