/** A column of 32-bit integers that grows by doubling: what a list of numbers costs without an object each. */
export class IntColumn {
  /** The cells; only those below `length` count. Another array after a `push` that had to grow. */
  cells = new Int32Array(16);
  #length = 0;

  /** Cells in use. */
  get length(): number {
    return this.#length;
  }

  /** Adds a cell. */
  push(value: number): void {
    if (this.#length === this.cells.length) {
      const cells = new Int32Array(2 * this.cells.length);
      cells.set(this.cells);
      this.cells = cells;
    }
    this.cells[this.#length++] = value;
  }
}
