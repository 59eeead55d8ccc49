/** A list of 32-bit integers that grows: four bytes each, and no object. */
export class IntList {
  length = 0;
  #items = new Int32Array(16);

  /** The integer at `index`, which is below `length`. */
  at(index: number): number {
    return this.#items[index]!;
  }

  set(index: number, value: number): void {
    this.#items[index] = value;
  }

  push(value: number): void {
    if (this.length === this.#items.length) this.#grow(this.length + 1);
    this.#items[this.length++] = value;
  }

  /** Adds `count` times the same. */
  fill(count: number, value: number): void {
    const end = this.length + count;
    if (end > this.#items.length) this.#grow(end);
    this.#items.fill(value, this.length, end);
    this.length = end;
  }

  /** Takes the last integer off; there is one. */
  pop(): number {
    return this.#items[--this.length]!;
  }

  clear(): void {
    this.length = 0;
  }

  toArray(): number[] {
    return Array.from(this.#items.subarray(0, this.length));
  }

  #grow(least: number): void {
    const items = new Int32Array(Math.max(least, 2 * this.#items.length));
    items.set(this.#items);
    this.#items = items;
  }
}
