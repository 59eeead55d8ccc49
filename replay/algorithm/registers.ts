import type { AlgorithmState } from './algorithm_state.js';
import type { Registers } from './machine.js';

/** Where the locals of one agent are: its row, then one word a local. */
interface Frame {
  readonly state: AlgorithmState;
  readonly words: Int32Array;
  readonly base: number;
}

/**
 * A class whose instances have the locals of a machine by name and keep them in the state's words: no copy to take back.
 * One class a machine, so that its rows see one shape.
 */
export function registersClass<L extends string>(
  locals: readonly L[],
): new (state: AlgorithmState, base: number) => Registers<L> {
  class Named implements Frame {
    readonly words: Int32Array;
    constructor(
      readonly state: AlgorithmState,
      readonly base: number,
    ) {
      this.words = state.words;
    }
    get pc(): number {
      return this.words[this.base]!;
    }
  }
  locals.forEach((name, i) => {
    // A constant of each accessor, which the compiler can fold into it.
    const place = 1 + i;
    Object.defineProperty(Named.prototype, name, {
      get(this: Frame) {
        return this.words[this.base + place]!;
      },
      set(this: Frame, value: number) {
        this.state.set(this.base + place, value);
      },
    });
  });
  return Named as new (state: AlgorithmState, base: number) => Registers<L>;
}
