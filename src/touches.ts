/** How a word was touched. `walk`: read by the MMU on its way to an entry; `copy`: read with its page; `page`: stored so. */
export const Touch = { read: 0, write: 1, lock: 2, unlock: 3, walk: 4, copy: 5, page: 6 } as const;

/** Words that a CPU touched, in order: parallel arrays, overwritten after `clear`. */
export class Touches {
  count = 0;
  /** One of `Touch`. */
  kinds = new Uint8Array(64);
  /** Index in `memory.words`. */
  addresses = new Int32Array(64);
  /** What was there, and what is there now; the same where it was read. */
  olds = new Int32Array(64);
  values = new Int32Array(64);

  clear(): void {
    this.count = 0;
  }

  note(kind: number, address: number, old: number, value: number): void {
    const i = this.count++;
    if (i === this.kinds.length) this.#grow();
    this.kinds[i] = kind;
    this.addresses[i] = address;
    this.olds[i] = old;
    this.values[i] = value;
  }

  #grow(): void {
    const kinds = new Uint8Array(2 * this.kinds.length);
    kinds.set(this.kinds);
    this.kinds = kinds;
    this.addresses = larger(this.addresses);
    this.olds = larger(this.olds);
    this.values = larger(this.values);
  }
}

function larger(words: Int32Array): Int32Array<ArrayBuffer> {
  const twice = new Int32Array(2 * words.length);
  twice.set(words);
  return twice;
}
