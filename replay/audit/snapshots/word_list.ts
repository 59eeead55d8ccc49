/** Words in a row, as many as are pushed. */
export class WordList {
  #words = new Int32Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Those that were pushed; good until the next push. */
  get words(): Int32Array {
    return this.#words.subarray(0, this.#length);
  }

  push(word: number): void {
    const at = this.#length;
    if (at === this.#words.length) this.#grow(at + 1);
    this.#words[at] = word;
    this.#length = at + 1;
  }

  /** Adds all of `words`. */
  append(words: Int32Array): void {
    const at = this.#length;
    if (at + words.length > this.#words.length) this.#grow(at + words.length);
    this.#words.set(words, at);
    this.#length = at + words.length;
  }

  /** Nothing was pushed. */
  clear(): void {
    this.#length = 0;
  }

  #grow(least: number): void {
    const words = new Int32Array(Math.max(least, 2 * this.#words.length));
    words.set(this.#words);
    this.#words = words;
  }
}
