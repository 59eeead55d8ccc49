import type { Word } from '../../../events/index.js';
import { linearizable } from '../../history/small_register.js';
import type { PathWords } from './path_words.js';

/** How far an operation on the register has come; `none`: it had no effect, and returned nothing that says anything. */
export const Progress = { ahead: 0, begun: 1, done: 2, none: 3 } as const;

/** An operation of a history, which does not change any more. */
export interface RegisterOperation {
  readonly name: string;
  readonly isWrite: boolean;
  /** What it wrote, or returned. */
  readonly value: Word;
  /** Whether it has returned: a write that has not may have taken effect. */
  readonly isDone: boolean;
  /** Bits of the operations that had returned when it began. */
  readonly after: number;
}

/** The operations on one pfn that no order explains. */
export interface RegisterHistory {
  readonly pfn: number;
  readonly initial: Word;
  readonly operations: readonly RegisterOperation[];
}

/** Says why no order explains the history, of as few operations as that takes. */
export function saysWhy(history: RegisterHistory, words: PathWords): string {
  const core = coreOf(history);
  const { operations } = history;
  const reads = core.filter((i) => !operations[i]!.isWrite);
  const [only] = reads;
  if (only !== undefined && reads.length === 1) {
    const { value } = operations[only]!;
    const isSet = core.some((i) => operations[i]!.isWrite && operations[i]!.value === value);
    if (!isSet) return saysOfRead(history, core, only, words);
  }
  const each = core.map((i) => saysOf(history, core, i, words));
  const before = `${words.pfn(history.pfn)}, which read ${words.entry(history.initial)} before the run`;
  return `no order of these operations on ${before}, explains what they returned: ${each.join('; ')}`;
}

/** A look-up returned what no operation of the core sets. */
function saysOfRead(
  { operations, initial }: RegisterHistory,
  core: readonly number[],
  read: number,
  words: PathWords,
): string {
  const { name, value, after } = operations[read]!;
  const returned = `${name} returned ${words.entry(value)}`;
  if (value !== initial)
    return `${returned}, which was not there before the run, and no set stores it that returned true or is in hand`;
  const over = core.filter((i) => operations[i]!.isWrite && (after & (1 << i)) !== 0).map((i) => operations[i]!.name);
  return `${returned} although ${over.join(' and ')} had returned true before it began, and nobody sets ${words.entry(value)}`;
}

function saysOf({ operations }: RegisterHistory, core: readonly number[], i: number, words: PathWords): string {
  const { name, isWrite, isDone, value, after } = operations[i]!;
  const result = isWrite ? (isDone ? 'true' : undefined) : words.entry(value);
  const returned = result === undefined ? 'had not returned' : `returned ${result}`;
  const before = core.filter((j) => (after & (1 << j)) !== 0).map((j) => operations[j]!.name);
  return `${name} ${returned}${before.length === 0 ? '' : `, having begun after ${before.join(' and ')} had returned`}`;
}

/**
 * Operations that no order explains even by themselves, none of which could go. A look-up can always be left out; a write
 * only where no look-up that is left returned its value, for then it explains nothing.
 */
function coreOf(history: RegisterHistory): number[] {
  const { operations } = history;
  let core = operations.map((_, i) => i);
  for (let size = -1; size !== core.length;) {
    size = core.length;
    for (const i of core) {
      const rest = core.filter((j) => j !== i);
      const { isWrite, value } = operations[i]!;
      const isRead = rest.some((j) => !operations[j]!.isWrite && operations[j]!.value === value);
      if (!(isWrite && isRead) && !hasOrder(history, rest)) core = rest;
    }
  }
  return core;
}

function hasOrder({ operations, initial }: RegisterHistory, core: readonly number[]): boolean {
  const counts = operations.map((_, i) => core.includes(i));
  return linearizable({
    count: operations.length,
    isWrite: operations.map(({ isWrite }, i) => (isWrite && counts[i]! ? 1 : 0)),
    value: operations.map(({ value }) => value),
    isDone: operations.map(({ isDone }, i) => (isDone && counts[i]! ? 1 : 0)),
    after: operations.map(({ after }) => after),
    initial,
  });
}
