import { Global, KINDS } from '../../events/index.js';
import type { Timeline } from '../audit/timeline.js';
import type { CauseWords } from './causes.js';
import { LogRows } from './log_rows.js';
import type { Pieces } from './pieces.js';

const LOCK = KINDS.lock.id;

/**
 * Who holds p2m_update_lock at the moment, and who may wait for it. A log has no event for waiting, only for taking: of
 * an operation of another CPU whose next event is its `lock` nothing happens before it gets the lock. So it waits, or has
 * not asked yet, and the log cannot tell which. Of any other operation it is certain that it does not wait.
 */
export function* lockWords({ log, memory, at }: Timeline, causes: CauseWords): Pieces<string[]> {
  const held = memory.words[Global.p2m_update_lock]!;
  if (held === 0) return ['p2m_update_lock: free'];
  const holder = held - 1;
  const rows = new LogRows(log);
  const taken = yield* lastLock(rows, at);
  const lines = [`p2m_update_lock: held by cpu${holder}, taken by ${taken < 0 ? 'nobody known' : causes.by(taken)}`];
  const others = causes.calls.at(at).filter(({ cpu }) => cpu !== holder);
  const next = yield* nextEvents(rows, at, new Set(others.map(({ op }) => op)));
  for (const open of others) {
    const seq = next.get(open.op);
    if (seq === undefined || !isLock(rows, seq)) continue;
    lines.push(`  ${causes.operation(open)}: its next event, ${seq}, takes it: waits, or has not asked yet`);
  }
  if (lines.length === 1) lines.push('  nobody waits');
  return lines;
}

/** The last `lock` before the moment; -1 where there is none. */
function* lastLock(rows: LogRows, moment: number): Pieces<number> {
  for (let seq = moment - 1; seq >= 0; seq = rows.start - 1) {
    for (let i = rows.to(seq); i >= 0; i--) if (rows.batch.kind[i] === LOCK) return rows.start + i;
    if (yield) return -1;
  }
  return -1;
}

/** The next event of each operation from the moment on, where it has one. */
function* nextEvents(rows: LogRows, moment: number, ops: Set<number>): Pieces<Map<number, number>> {
  const next = new Map<number, number>();
  for (let seq = moment; seq < rows.log.events && ops.size > 0; seq = rows.end) {
    const first = rows.to(seq);
    const { op, length } = rows.batch;
    for (let i = first; i < length && ops.size > 0; i++) if (ops.delete(op[i]!)) next.set(op[i]!, rows.start + i);
    if (yield) return next;
  }
  return next;
}

function isLock(rows: LogRows, seq: number): boolean {
  const row = rows.to(seq);
  return rows.batch.kind[row] === LOCK;
}
