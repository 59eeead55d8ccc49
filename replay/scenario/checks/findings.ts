import { CHECKS, type CheckName } from '../scenario.js';

/** What a path, or its end, has broken: the last finding, with those before it; nothing in it changes. */
export interface Finding {
  /** Bits of all that is broken, this one included. */
  readonly bits: number;
  readonly check: number;
  /** What is wrong, in words; made when somebody asks, of what was true when it was found. */
  readonly say: () => string;
  readonly before: Finding | undefined;
}

const NUMBER_OF = new Map(CHECKS.map((name, check) => [name, check]));

/** The bit of a check in `broken`: the i-th of `CHECKS` is bit i. */
export function bitOf(name: CheckName): number {
  return 1 << NUMBER_OF.get(name)!;
}

/** Collects what is broken, of what the scenario is held to; of each check the first time. */
export class Findings {
  /** Put it back to forget what came later. */
  image: Finding | undefined;
  readonly #held: number;

  /** `held`: bits of the checks that count; others are not kept. */
  constructor(held: number) {
    this.#held = held;
  }

  /** Bits of what is broken. */
  get bits(): number {
    return this.image === undefined ? 0 : this.image.bits;
  }

  /** Whether one of these checks counts. */
  holds(...names: readonly CheckName[]): boolean {
    return names.some((name) => (this.#held & bitOf(name)) !== 0);
  }

  /** Whether it counts and is not broken yet. */
  isOpen(name: CheckName): boolean {
    return (this.#held & ~this.bits & bitOf(name)) !== 0;
  }

  /** The check is broken; `say` keeps what it says of, for memory goes on. */
  raise(name: CheckName, say: () => string): void {
    if (!this.isOpen(name)) return;
    this.image = { bits: this.bits | bitOf(name), check: NUMBER_OF.get(name)!, say, before: this.image };
  }

  /** What is wrong with the `check`-th of `CHECKS`, in words; undefined where nothing is. */
  says(check: number): string | undefined {
    for (let finding = this.image; finding !== undefined; finding = finding.before) {
      if (finding.check === check) return finding.say();
    }
    return undefined;
  }
}
