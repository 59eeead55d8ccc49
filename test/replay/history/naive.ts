import { type History, OperationKind, type Scalar } from '../../../replay/index.js';

/**
 * Whether the operations of one register have an order, by trying them all: nothing is remembered, nothing is cut. A
 * pending operation is tried at every place, and left out. `seesTime` false is the mutant that does not look at real time.
 */
export function hasOrder(
  history: History,
  operations: readonly number[],
  initial: Scalar = null,
  seesTime = true,
): boolean {
  const { outcome, kind, began } = history;
  const doneOf = (operation: number): boolean => outcome.cells[operation] === 1;
  const may = operations.filter((operation) => {
    if (outcome.cells[operation] === 2) return false;
    return doneOf(operation) || kind.cells[operation] !== OperationKind.read;
  });
  const go = (left: readonly number[], value: number): boolean => {
    if (!left.some(doneOf)) return true;
    return left.some((operation) => {
      const waits = left.some((other) => history.endOf(other) < began.cells[operation]!);
      if (seesTime && waits) return false;
      const found = history.found(operation);
      if (found >= 0 && found !== value) return false;
      const next = kind.cells[operation] === OperationKind.read ? value : history.value.cells[operation]!;
      return go(
        left.filter((other) => other !== operation),
        next,
      );
    });
  };
  return go(may, history.values.number(initial));
}

/** The numbers of a history's operations on one key. */
export function operationsOf(history: History, key: Scalar): number[] {
  const number = history.keys.number(key);
  return Array.from({ length: history.count }, (_, i) => i).filter((i) => history.key.cells[i] === number);
}
