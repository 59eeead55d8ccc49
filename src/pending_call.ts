import type { CheckedCommand } from './command.js';
import type { Outcome } from './outcome.js';

/** A call of `Engine.execute`, until it is answered. */
export class PendingCall {
  readonly commands: readonly CheckedCommand[];
  /** What its caller waits for. */
  readonly answer: Promise<Outcome[]>;
  /** Who asks, where he said so. */
  readonly owner: string | undefined;
  /** What its commands gave, once they have run. */
  outcomes: Outcome[] = [];
  #resolve!: (outcomes: Outcome[]) => void;
  #reject!: (error: unknown) => void;

  constructor(commands: readonly CheckedCommand[], owner: string | undefined) {
    this.commands = commands;
    this.owner = owner;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Its events are in the log. */
  acknowledge(): void {
    this.#resolve(this.outcomes);
  }

  refuse(error: unknown): void {
    this.#reject(error);
  }
}
