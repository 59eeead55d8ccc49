/** Words of a mask. */
export const MASK_WORDS = 4;
const BITS = MASK_WORDS * 32;
const SEED = 0x811c9dc5 | 0;
const PRIME = 16777619;

/** A set of numbers below 128, or of names by a number made of them: what it has not, was not put in; what it has, may have been. */
export class NameMask {
  readonly words: Int32Array;

  /** @param words MASK_WORDS, that are used as they are */
  constructor(words: Int32Array = new Int32Array(MASK_WORDS)) {
    this.words = words;
  }

  /** Puts a number in. Numbers of 128 and more count by their remainder. */
  number(value: number): void {
    const bit = value % BITS;
    this.words[bit >>> 5]! |= 1 << (bit & 31);
  }

  name(name: string): void {
    this.number(numberOf(name));
  }

  /** Puts in all that another has. */
  add({ words }: NameMask): void {
    for (let i = 0; i < MASK_WORDS; i++) this.words[i]! |= words[i]!;
  }

  mayHave(value: number): boolean {
    const bit = value % BITS;
    return ((this.words[bit >>> 5]! >>> (bit & 31)) & 1) === 1;
  }

  mayHaveName(name: string): boolean {
    return this.mayHave(numberOf(name));
  }
}

function numberOf(name: string): number {
  let h = SEED;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), PRIME);
  return (h ^ (h >>> 15)) >>> 0;
}
