/**
 * States from which a search found no way, kept exactly: the first open return, the value, the words of a mask. Open
 * addressing over one typed array, at most half full.
 */
export class DeadStates {
  /** Words of a mask, and of a state. */
  #maskWords = 1;
  #width = 3;
  /** States, `#width` words each; the first word is the return + 1, 0 where the slot is empty. */
  #cells = new Int32Array(SLOTS_MIN * 3);
  #slots = SLOTS_MIN;
  #count = 0;

  /** States so far. */
  get count(): number {
    return this.#count;
  }

  /** Forgets them all; masks have `maskWords` words from now on. */
  clear(maskWords: number): void {
    // What a hard key made large is given back; what is small is wiped.
    if (maskWords !== this.#maskWords || this.#slots > SLOTS_MIN) {
      this.#maskWords = maskWords;
      this.#width = maskWords + 2;
      this.#slots = SLOTS_MIN;
      this.#cells = new Int32Array(SLOTS_MIN * this.#width);
    } else if (this.#count > 0) this.#cells.fill(0);
    this.#count = 0;
  }

  /** Whether the state is one of them. */
  has(ret: number, value: number, mask: Int32Array): boolean {
    return this.#count > 0 && this.#cells[this.#find(ret, value, mask)] !== 0;
  }

  /** Keeps the state, which is not there yet. */
  add(ret: number, value: number, mask: Int32Array): void {
    if (2 * (this.#count + 1) > this.#slots) this.#grow();
    this.#count++;
    this.#put(ret, value, mask);
  }

  #put(ret: number, value: number, mask: Int32Array): void {
    const at = this.#find(ret, value, mask);
    this.#cells[at] = ret + 1;
    this.#cells[at + 1] = value;
    this.#cells.set(mask, at + 2);
  }

  /** Where the state is, or the empty slot where it belongs. */
  #find(ret: number, value: number, mask: Int32Array): number {
    let hash = Math.imul(ret, 0x9e3779b1) ^ Math.imul(value + 1, 0x85ebca6b);
    for (let word = 0; word < this.#maskWords; word++) {
      hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35) + mask[word]!;
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f);
    const last = this.#slots - 1;
    for (let slot = (hash ^ (hash >>> 15)) & last; ; slot = (slot + 1) & last) {
      const at = slot * this.#width;
      if (this.#cells[at] === 0 || this.#isAt(at, ret, value, mask)) return at;
    }
  }

  #isAt(at: number, ret: number, value: number, mask: Int32Array): boolean {
    const cells = this.#cells;
    if (cells[at] !== ret + 1 || cells[at + 1] !== value) return false;
    for (let word = 0; word < this.#maskWords; word++) if (cells[at + 2 + word] !== mask[word]) return false;
    return true;
  }

  #grow(): void {
    const old = this.#cells;
    const width = this.#width;
    this.#slots *= 2;
    this.#cells = new Int32Array(this.#slots * width);
    for (let at = 0; at < old.length; at += width) {
      if (old[at] !== 0) this.#put(old[at]! - 1, old[at + 1]!, old.subarray(at + 2, at + width));
    }
  }
}

const SLOTS_MIN = 256;
