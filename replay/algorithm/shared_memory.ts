import { usageError } from '../../events/index.js';

/** An array of words, or one lock, and where it begins. */
interface Region {
  readonly name: string;
  readonly address: number;
  readonly count: number;
  readonly isLock: boolean;
}

/** Most words that can be declared, locks included. */
const WORDS_MAX = 2 ** 16;

/**
 * The memory that agents share: named arrays of 32-bit words with their initial values, and named locks, all free. An
 * address is a number from 1 on, so that 0 can stand for no address: who loads from there is found out.
 *
 *     const memory = new SharedMemory();
 *     const leaf = memory.words('leaf', 0);
 *     const slots = memory.words('slots', leaf, leaf); // two words, both of which point at the leaf
 *     const lock = memory.lock('lock');
 */
export class SharedMemory {
  readonly #regions: Region[] = [];
  /** By address; what stands at 0 is nobody's. */
  readonly #words: number[] = [0];

  /**
   * Declares an array of as many words as there are values. Word `i` has the address that is returned, plus `i`.
   *
   * @throws {P2mError} code `usage`: the name is taken, there is no value, or one is not an integer of 32 bits
   */
  words(name: string, ...values: readonly number[]): number {
    const odd = values.find((value) => value !== (value | 0));
    if (values.length === 0 || odd !== undefined) {
      const got = odd === undefined ? 'none' : String(odd);
      throw usageError(`initial values of ${name}`, { got, expected: 'one or more integers of 32 bits' });
    }
    return this.#declare(name, values, false);
  }

  /** Declares a lock, and gives its address. @throws {P2mError} code `usage`: the name is taken */
  lock(name: string): number {
    return this.#declare(name, [0], true);
  }

  /** Addresses in use: all are below this. */
  get end(): number {
    return this.#words.length;
  }

  /** The initial values, by address. */
  image(): Int32Array {
    return Int32Array.from(this.#words);
  }

  /** Whether `address` is that of a lock. */
  isLock(address: number): boolean {
    return this.#regionOf(address)?.isLock === true;
  }

  /** What an address is called: `lock`, `slots[1]`; undefined where nothing was declared. */
  nameOf(address: number): string | undefined {
    const region = this.#regionOf(address);
    if (region === undefined || region.count === 1) return region?.name;
    return `${region.name}[${address - region.address}]`;
  }

  /** The arrays of words, in the order of their declaration; no locks. */
  get arrays(): readonly { readonly name: string; readonly address: number; readonly count: number }[] {
    return this.#regions.filter(({ isLock }) => !isLock);
  }

  #declare(name: string, values: readonly number[], isLock: boolean): number {
    if (this.#regions.some((region) => region.name === name)) {
      throw usageError('a name of shared memory is taken', { got: name, expected: 'a name for each array and lock' });
    }
    const address = this.#words.length;
    if (address + values.length > WORDS_MAX) {
      throw usageError('too much shared memory', { got: name, expected: `at most ${WORDS_MAX - 1} words in all` });
    }
    this.#regions.push({ name, address, count: values.length, isLock });
    this.#words.push(...values);
    return address;
  }

  #regionOf(address: number): Region | undefined {
    return this.#regions.find((region) => address >= region.address && address < region.address + region.count);
  }
}
