/** What names a process or a key, or is the value of a register. */
export type Scalar = number | string | boolean | null;

/** Numbers for names, from 0 in the order of their coming: equal names, equal numbers. `1` and `"1"` are two names. */
export class Names {
  readonly #numbers = new Map<Scalar, number>();
  readonly #names: Scalar[] = [];

  /** Names so far. */
  get count(): number {
    return this.#names.length;
  }

  /** The number of a name, a new one where it has none. */
  number(name: Scalar): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }

  /** The name with that number, which has one. */
  name(number: number): Scalar {
    return this.#names[number]!;
  }
}
