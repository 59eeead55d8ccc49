import type { EventBatch } from '../batch.js';
import { assert } from '../errors.js';
import type { EntryCodec } from '../word.js';
import { BlockEncoder } from './block_encoder.js';
import { NO_CHAIN } from './chain.js';
import type { ByteSink, EventWriter } from './contract.js';
import type { EventsHeader } from './events_header.js';
import { END_MAGIC } from './layout.js';
import { segmentHeader } from './segment_header.js';

/**
 * Writes a log of one segment (layout.ts), a block at a time. The header goes out at once.
 *
 * @throws {P2mError} from the constructor, where the facts are longer than the format takes; from `append`, where the
 *   payload of one event is (code `capacity`)
 * @throws AssertionError where a column holds what its field cannot: what is written can be read
 */
export class LogWriter implements EventWriter {
  readonly #sink: ByteSink;
  readonly #encoder: BlockEncoder;
  #closed = false;

  constructor(sink: ByteSink, header: EventsHeader, codec: EntryCodec) {
    assert(header.entryBits === codec.bits, `the log is for entries of ${header.entryBits} bits, the codec is not`);
    this.#sink = sink;
    const { bytes, chain } = segmentHeader(header, { segment: 0, seq: 0, chain: NO_CHAIN });
    this.#encoder = new BlockEncoder(codec, { seq: 0, chain, wide: [] });
    sink(bytes);
  }

  append(batch: EventBatch): void {
    assert(!this.#closed, 'the log is closed');
    // Nobody syncs between two blocks: none of it is known to be on disk.
    for (let i = 0; i < batch.length;) {
      i = this.#encoder.add(batch, i);
      if (this.#encoder.isFull) this.#sink(this.#encoder.take(0));
    }
  }

  flush(): void {
    if (this.#encoder.events > 0) this.#sink(this.#encoder.take(0));
  }

  close(): void {
    assert(!this.#closed, 'the log is closed');
    this.flush();
    this.#sink(this.#encoder.take(0, END_MAGIC));
    this.#closed = true;
  }
}
