import { AssertionError } from '../events/index.js';
import { LOCALS_COUNT, type Locals, type Machine } from './machine.js';

/** Calls and their locals as CPUs had them, moment upon moment: what `Cpu.image` keeps, without an object a moment. */
export class CpuMoments {
  /** By moment: how many calls it has. */
  #depths = new Uint8Array(256);
  #moments = 0;
  /** By call: its function, and LOCALS_COUNT numbers. */
  readonly #machines: Machine[] = [];
  #locals = new Float64Array(256 * LOCALS_COUNT);
  #calls = 0;

  /** Adds a call to the moment that `close` will end; the outermost comes first. */
  pushCall(call: Locals): void {
    const at = this.#calls++ * LOCALS_COUNT;
    if (at === this.#locals.length) {
      const larger = new Float64Array(2 * at);
      larger.set(this.#locals);
      this.#locals = larger;
    }
    this.#machines[this.#calls - 1] = call.machine;
    call.save(this.#locals, at);
  }

  close(depth: number): void {
    if (this.#moments === this.#depths.length) {
      const larger = new Uint8Array(2 * this.#moments);
      larger.set(this.#depths);
      this.#depths = larger;
    }
    this.#depths[this.#moments++] = depth;
  }

  /** Opens the last moment: as many calls as it gives are to be popped. */
  open(): number {
    if (this.#moments === 0) throw new AssertionError('there is no moment to go back to');
    return this.#depths[--this.#moments]!;
  }

  /** The last call of the moment that is open; the innermost comes first. */
  popCall(into: Locals): void {
    const call = --this.#calls;
    into.load(this.#machines[call]!, this.#locals, call * LOCALS_COUNT);
  }
}
