import type { ByteSink } from '../../events/index.js';

/** Text goes on in pieces of at least so many characters: one system call, not thousands. */
const PIECE_LENGTH = 1 << 16;

/** Hands on text as bytes of UTF-8, many lines at a time. */
export class TextSink {
  readonly #sink: ByteSink;
  readonly #encoder = new TextEncoder();
  #text = '';

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  write(text: string): void {
    this.#text += text;
    if (this.#text.length >= PIECE_LENGTH) this.flush();
  }

  /** Hands on what is held back: the last call. */
  flush(): void {
    if (this.#text !== '') this.#sink(this.#encoder.encode(this.#text));
    this.#text = '';
  }
}
