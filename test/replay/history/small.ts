import type { History, SmallRegister } from '../../../replay/index.js';

/** Operations of a history as an explorer has them. */
export function smallRegister(history: History, operations: readonly number[]): SmallRegister {
  const of = (give: (operation: number) => number): Int32Array => Int32Array.from(operations, give);
  return {
    count: operations.length,
    isWrite: of((operation) => Number(history.mayWrite(operation))),
    value: of((operation) => history.value.cells[operation]!),
    isDone: of((operation) => Number(history.endOf(operation) < Infinity)),
    after: of((operation) =>
      operations.reduce(
        (bits, other, i) => bits | (history.endOf(other) < history.began.cells[operation]! ? 1 << i : 0),
        0,
      ),
    ),
    initial: history.values.number(null),
  };
}
