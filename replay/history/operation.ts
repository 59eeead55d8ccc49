import { NO_EVENT, OPERATION_NAMES, OperationKind, EVENT_NAMES, type History, type OperationName } from './history.js';
import type { Scalar } from './names.js';

/** One operation of a history, for a report. */
export interface Operation {
  /** Its number among all that began, from 1. */
  readonly number: number;
  readonly process: Scalar;
  readonly f: OperationName;
  readonly key: Scalar;
  /** What a read returned or a write wrote; of a cas what it found and what it wrote. */
  readonly value: Scalar | readonly [Scalar, Scalar];
  /** When it began and ended: times, or lines where the history has no times; null where it did not end. */
  readonly from: number;
  readonly to: number | null;
  /** The lines where it began and ended, from 1. */
  readonly lines: readonly [number, number | null];
  /** How it ended; `invoke` where it did not. */
  readonly outcome: (typeof EVENT_NAMES)[number];
}

/** The operation with that number, from 0. */
export function operationOf(history: History, operation: number): Operation {
  const { kind, key, value, expected, outcome, began, ended, lines } = history;
  const first = began.cells[operation]!;
  const last = ended.cells[operation]!;
  // Nobody knows when one took effect of which nobody knows whether it did.
  const isOver = last !== NO_EVENT && EVENT_NAMES[outcome.cells[operation]!] !== 'info';
  const written = history.values.name(value.cells[operation]!);
  return {
    number: operation + 1,
    process: history.processes.name(history.process.cells[operation]!),
    f: OPERATION_NAMES[kind.cells[operation]!]!,
    key: history.keys.name(key.cells[operation]!),
    value:
      kind.cells[operation] === OperationKind.cas
        ? [history.values.name(expected.cells[operation]!), written]
        : written,
    from: placeOf(history, first),
    to: isOver ? placeOf(history, last) : null,
    lines: [lines.cells[first]!, last === NO_EVENT ? null : lines.cells[last]!],
    outcome: EVENT_NAMES[outcome.cells[operation]!]!,
  };
}

function placeOf(history: History, event: number): number {
  return history.isTimed ? history.times[event]! : history.lines.cells[event]!;
}
