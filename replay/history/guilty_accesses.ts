import type { Word } from '../../events/index.js';
import { AccessKind } from './access_store.js';
import { coreOf } from './failing_core.js';
import { History } from './history.js';
import type { JustInTimeSearch } from './just_in_time_search.js';
import { KeyEvents } from './key_events.js';
import type { RegisterAccesses } from './register_accesses.js';
import { RegisterCheck } from './register_check.js';
import { NEVER } from './register_operations.js';

/** An access as it stands in `RegisterAccesses`. */
type Place = number;

/**
 * Accesses of a violated register that have no order by themselves, ascending: of what stands behind the last moment at
 * which only one value was possible, as few as can be found, and before them the last write of that value, if there is one.
 *
 * @param search that has just found the register violated
 */
export function guiltyAccesses(ops: RegisterAccesses, search: JustInTimeSearch, initial: Word): Place[] {
  const { decided, decidedValue } = search;
  const last = lastPlace(ops, search);
  const suspects = suspectsOf(ops, decided, last, search.failed);
  const core = smallCore(ops, suspects, decidedValue) ?? suspects;
  if (decidedValue === initial && !hasWriteBefore(ops, decided)) return core;
  const writer = writerOf(ops, decided, decidedValue);
  return writer === undefined ? core : [writer, ...core];
}

/** Behind the last access that had begun when the register failed. */
function lastPlace({ call, count }: RegisterAccesses, { decided, failed }: JustInTimeSearch): Place {
  let last = decided;
  while (last < count && call[last]! < failed) last++;
  return last;
}

/** Without reads that returned later: they may have seen what came later. */
function suspectsOf({ kind, end }: RegisterAccesses, from: Place, to: Place, failed: number): Place[] {
  const suspects: Place[] = [];
  for (let i = from; i < to; i++) if (kind[i] === AccessKind.write || end[i]! <= failed) suspects.push(i);
  return suspects;
}

function hasWriteBefore({ kind }: RegisterAccesses, before: Place): boolean {
  return kind.subarray(0, before).includes(AccessKind.write);
}

/** The last write of the value that ended before; undefined where nobody wrote it, or nobody knows whether. */
function writerOf({ kind, value, end }: RegisterAccesses, before: Place, wanted: Word): Place | undefined {
  let found: Place | undefined;
  for (let i = 0; i < before; i++) {
    if (kind[i] !== AccessKind.write || value[i] !== wanted || end[i] === NEVER) continue;
    if (found === undefined || end[i]! > end[found]!) found = i;
  }
  return found;
}

/** As few of the suspects as have no order; undefined where some are bare reads, which a history cannot tell. */
function smallCore(ops: RegisterAccesses, suspects: readonly Place[], initial: Word): Place[] | undefined {
  if (suspects.some((i) => ops.kind[i] === AccessKind.bareRead)) return undefined;
  const history = historyOf(ops, suspects);
  const first = history.values.number(initial);
  const events = new KeyEvents(history).of(0);
  const check = new RegisterCheck(history, first);
  const found = check.check(events, events.length + STEPS_MAX);
  if (found.verdict !== 'violated') return undefined;
  return coreOf(history, check, events, found.guilty, first).core.map((operation) => suspects[operation]!);
}

const STEPS_MAX = 1 << 20;

/** Operation n of the history is `suspects[n]`. Values are words. */
function historyOf({ kind, value, call, end }: RegisterAccesses, suspects: readonly Place[]): History {
  const history = new History();
  for (const i of suspects) {
    const f = kind[i] === AccessKind.write ? 'write' : 'read';
    const place = { time: call[i]! };
    history.invoke({ process: i, f, key: null, ...(f === 'write' ? { value: value[i]! } : {}) }, place);
  }
  suspects.forEach((i, operation) => {
    if (end[i] === NEVER) return;
    // Where several accesses share their events, the ones that begin come first.
    history.complete(operation, 'ok', { time: end[i]! }, kind[i] === AccessKind.read ? value[i]! : undefined);
  });
  return history.arrange();
}
