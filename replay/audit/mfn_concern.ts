import {
  FAULT,
  INVALID,
  KINDS,
  payloadColumn,
  type EntryCodec,
  type EventBatch,
  type Word,
} from '../../events/index.js';

const SET_ENTRY = KINDS.set_entry.id;
const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const LOOK_UP = KINDS.look_up.id;
const SET_GRANT = KINDS.set_grant.id;
const SET_M2P = KINDS.set_m2p.id;
const SET_OVERRIDE = KINDS.set_override.id;
const RESULT_WORD = KINDS.return.wordWhen.is;
const GRANT_WORD = KINDS.set_grant.wordWhen.is;
const GRANT_MFN = 1;
/** By kind: the column of its payload, -1 where it has none. */
const PAYLOADS = Int8Array.from({ length: 256 }, (_, id) => payloadColumn(id));

/**
 * Which events name machine frame `mfn`, the domain's own or a foreign one: an entry before or after, the value of a call,
 * return or look-up, a run of entries, the hypervisor's table.
 */
export class MfnConcern {
  readonly #codec: EntryCodec;
  readonly #mfn: number;
  /** The two short words of the frame; a wide one has no other form. */
  readonly #plain: Word;
  readonly #foreign: Word;

  constructor(codec: EntryCodec, mfn: number) {
    this.#codec = codec;
    this.#mfn = mfn;
    this.#plain = codec.parse(`m:${mfn}`);
    this.#foreign = codec.parse(`f:${mfn}`);
  }

  /** Whether event `i` does. */
  has(batch: EventBatch, i: number): boolean {
    const kind = batch.kind[i]!;
    const c = batch.c[i]!;
    switch (kind) {
      case SET_ENTRY:
        return this.#isNamed(c) || this.#isNamed(batch.d[i]!);
      case CALL:
        return this.#isNamed(batch.d[i]!);
      case RETURN:
        return batch.b[i] === RESULT_WORD && this.#isNamed(c);
      case LOOK_UP:
        return this.#isNamed(c);
      case SET_M2P:
      case SET_OVERRIDE:
        return batch.a[i] === this.#mfn;
      case SET_GRANT:
        return this.#grantNames(batch.b[i]!, c, batch.d[i]!);
      default: {
        const payload = PAYLOADS[kind]!;
        return payload >= 0 && this.#runsName(batch, i, payload);
      }
    }
  }

  #isNamed(word: Word): boolean {
    return word === this.#plain || word === this.#foreign;
  }

  #grantNames(field: number, old: number, now: number): boolean {
    if (field === GRANT_WORD) return this.#isNamed(old) || this.#isNamed(now);
    return field === GRANT_MFN && (old === this.#mfn || now === this.#mfn);
  }

  #runsName(batch: EventBatch, i: number, column: number): boolean {
    const runs = batch.payloadAt(batch.column(column)[i]!);
    for (let r = 0; r < runs.length; r += 3) {
      if (this.#runNames(runs[r]!, runs[r + 1]!, runs[r + 2]!)) return true;
    }
    return false;
  }

  #runNames(count: number, word: Word, stride: number): boolean {
    if (word === INVALID || word === FAULT || this.#codec.isIdentity(word)) return false;
    const ahead = this.#mfn - this.#codec.frameOf(word);
    if (stride === 0) return ahead === 0;
    return ahead % stride === 0 && ahead / stride >= 0 && ahead / stride < count;
  }
}
