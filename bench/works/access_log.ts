import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  EntryCodec,
  EventBatch,
  INVALID,
  KINDS,
  LogWriter,
  mfnWord,
  Operation,
  Result,
  type Word,
} from '../../events/index.js';
import { headerOf, lookUp } from '../../src/index.js';
import { ptePage } from '../../src/memory/pte.js';
import { bootedDomain } from './domains.js';

const NR_PAGES = 2 ** 20;
/** Rows of a batch; a step of a thread adds one. */
const ROWS = 4096;
/** A word that nobody stores. */
const NEVER_STORED = mfnWord(2 ** 30 - 1);

/** What the threads do. */
export interface AccessMix {
  /** Which pfns: all alike; the n-th 1/n as often as the first (Zipf); half of the operations on one, else all alike. */
  readonly skew: 'uniform' | 'zipf' | 'hot';
  /** Of a hundred sets so many set INVALID. */
  readonly invalid: number;
  /** Number of a look-up that is made to answer what nobody has stored; none where there is no such number. */
  readonly wrong?: number;
}

/** Threads whose operations overlap at a time. */
const THREADS = 8;

const Phase = { idle: 0, called: 1, done: 2 } as const;

/**
 * The log of `operations` look-ups and sets, half of each, by 8 threads on a booted list of a million pfns, in a file of the
 * folder that is written where it is not there yet. Each takes effect at one moment, and the threads take turns as it
 * comes: the log is linearizable unless a look-up is made wrong.
 */
export function accessLog(folder: string, operations: number, mix: AccessMix): string {
  const { skew, invalid, wrong } = mix;
  const name = ['access', operations, skew, invalid, ...(wrong === undefined ? [] : ['wrong', wrong])].join('-');
  const path = join(folder, `${name}.p2mlog`);
  if (existsSync(path)) return path;
  const half = `${path}.half`;
  const file = openSync(half, 'w');
  new AccessThreads(mix, (bytes) => writeSync(file, bytes)).write(operations);
  closeSync(file);
  renameSync(half, path);
  return path;
}

class AccessThreads {
  readonly #mix: AccessMix;
  readonly #writer: LogWriter;
  readonly #batch = new EventBatch(ROWS);
  readonly #words = new Int32Array(NR_PAGES);
  readonly #pages = new Int32Array(NR_PAGES);
  readonly #phase = new Uint8Array(THREADS);
  readonly #isSet = new Uint8Array(THREADS);
  readonly #pfn = new Int32Array(THREADS);
  readonly #value = new Int32Array(THREADS);
  readonly #op = new Int32Array(THREADS);
  #random = 0x2545f491;
  #begun = 0;
  #returned = 0;

  constructor(mix: AccessMix, sink: (bytes: Uint8Array) => void) {
    this.#mix = mix;
    const codec = new EntryCodec(64);
    const options = { nrPages: NR_PAGES, cpus: THREADS };
    const header = headerOf(bootedDomain(options));
    this.#writer = new LogWriter(sink, header, codec);
    const { memory } = bootedDomain({ ...options, codec, onEvents: (batch) => this.#writer.append(batch) });
    for (let pfn = 0; pfn < NR_PAGES; pfn++) {
      this.#words[pfn] = lookUp(memory, pfn);
      this.#pages[pfn] = ptePage(memory.pteOf(pfn));
    }
    for (let thread = 0; thread < THREADS; thread++) this.#op[thread] = 1000 + thread;
  }

  write(operations: number): void {
    while (this.#returned < operations) {
      const thread = this.#next() & (THREADS - 1);
      if (this.#phase[thread] === Phase.done) this.#return(thread);
      else if (this.#phase[thread] === Phase.called) this.#takeEffect(thread);
      else if (this.#begun < operations) this.#call(thread);
      if (this.#batch.length >= ROWS) this.#flush();
    }
    this.#flush();
    this.#writer.close();
  }

  #call(thread: number): void {
    const number = this.#begun++;
    const isSet = this.#next() & 1;
    const pfn = this.#anyPfn();
    const value: Word = this.#next() % 100 < this.#mix.invalid ? INVALID : mfnWord(this.#next() >>> 6);
    this.#phase[thread] = Phase.called;
    this.#isSet[thread] = isSet;
    this.#pfn[thread] = pfn;
    this.#value[thread] = isSet === 1 ? value : INVALID;
    this.#op[thread]! += THREADS;
    this.#batch.push(KINDS.call.id, thread, this.#op[thread]!, operationOf(isSet), pfn, 0, this.#value[thread]);
    if (this.#mix.wrong !== undefined && isSet === 0 && number >= this.#mix.wrong && !this.#isWrong) {
      this.#isWrong = true;
      this.#phase[thread] = Phase.done;
      this.#value[thread] = NEVER_STORED;
    }
  }

  #isWrong = false;

  #takeEffect(thread: number): void {
    const pfn = this.#pfn[thread]!;
    this.#phase[thread] = Phase.done;
    if (this.#isSet[thread] === 0) {
      this.#value[thread] = this.#words[pfn]!;
      return;
    }
    const value = this.#value[thread]!;
    this.#batch.push(KINDS.set_entry.id, thread, this.#op[thread]!, pfn, this.#pages[pfn], this.#words[pfn], value);
    this.#words[pfn] = value;
  }

  #return(thread: number): void {
    const isSet = this.#isSet[thread]!;
    const result = isSet === 1 ? Result.bool : Result.word;
    const value = isSet === 1 ? 1 : this.#value[thread]!;
    this.#batch.push(KINDS.return.id, thread, this.#op[thread]!, operationOf(isSet), result, value);
    this.#phase[thread] = Phase.idle;
    this.#returned++;
  }

  #anyPfn(): number {
    const { skew } = this.#mix;
    if (skew === 'zipf') return Math.floor(NR_PAGES ** (this.#next() / 2 ** 31)) - 1;
    if (skew === 'hot' && (this.#next() & 1) === 1) return 0;
    return (this.#next() >>> 5) % NR_PAGES;
  }

  #flush(): void {
    this.#writer.append(this.#batch);
    this.#batch.clear();
  }

  /** Below 2^31 (xorshift: the log is the same each time). */
  #next(): number {
    this.#random ^= this.#random << 13;
    this.#random ^= this.#random >>> 17;
    this.#random ^= this.#random << 5;
    return this.#random >>> 1;
  }
}

function operationOf(isSet: number): number {
  return isSet === 1 ? Operation.set_phys_to_machine : Operation.__pfn_to_mfn;
}
