import { OperationKind, type History } from './history.js';
import { operationOf } from './operation.js';

/** Words for the operations of a history: in full where one is named for the first time, short from then on. */
export class OperationWords {
  readonly #history: History;
  readonly #told = new Set<number>();

  constructor(history: History) {
    this.#history = history;
  }

  /** "write 6 of 7 by process 1 (time 20..28)", then "write 6". */
  tell(operation: number): string {
    return this.#isNew(operation)
      ? `${this.#name(operation)}${this.#values(operation)}${this.#who(operation)}`
      : this.#name(operation);
  }

  /** "read 9 by process 2 (time 31..40) returned 5". */
  found(operation: number): string {
    const value = this.value(this.#history.found(operation));
    const isRead = this.#history.kind.cells[operation] === OperationKind.read;
    if (!isRead) return `${this.tell(operation)} found ${value}`;
    const who = this.#isNew(operation) ? this.#who(operation) : '';
    return `${this.#name(operation)}${who} returned ${value}`;
  }

  /** A value, by its number, as JSON writes it. */
  value(number: number): string {
    return JSON.stringify(this.#history.values.name(number));
  }

  #isNew(operation: number): boolean {
    const isNew = !this.#told.has(operation);
    this.#told.add(operation);
    return isNew;
  }

  #name(operation: number): string {
    const { f, number } = operationOf(this.#history, operation);
    return `${f} ${number}`;
  }

  #values(operation: number): string {
    const { value } = this.#history;
    const written = this.value(value.cells[operation]!);
    if (this.#history.kind.cells[operation] !== OperationKind.cas) return ` of ${written}`;
    return ` from ${this.value(this.#history.found(operation))} to ${written}`;
  }

  #who(operation: number): string {
    const who = operationOf(this.#history, operation).process;
    return ` by process ${JSON.stringify(who)} (${spanOf(this.#history, operation)})`;
  }
}

/** When an operation ran: "time 20..28", "lines 3..4", or "from time 20 on" where nobody knows its end. */
export function spanOf(history: History, operation: number): string {
  const { from, to } = operationOf(history, operation);
  if (history.isTimed) return to === null ? `from time ${from} on` : `time ${from}..${to}`;
  return to === null ? `from line ${from} on` : `lines ${from}..${to}`;
}
