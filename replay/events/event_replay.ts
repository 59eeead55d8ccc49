import {
  eventReader,
  type EventFormat,
  type EventHandler,
  type EventReader,
  type EventsHeader,
} from '../../events/index.js';
import { EventPlayer } from './event_player.js';
import type { MemoryKind } from './guarded_memory.js';

/** How a log is replayed. */
export interface EventReplayOptions {
  readonly memory?: MemoryKind;
  /** Checks the chain of a binary log too. */
  readonly chain?: boolean;
  /** Told of the header, and of each batch once it was played: whoever writes the log again. */
  readonly also?: EventHandler;
}

/** Reads a log of our own, chunk by chunk, and plays its events: a reader and a player, put together. */
export class EventReplay {
  readonly #reader: EventReader;
  #player: EventPlayer | undefined;

  constructor(format: EventFormat, file: string, options: EventReplayOptions = {}) {
    const { memory, chain = false, also } = options;
    const reader = eventReader(
      format,
      {
        onHeader: (header, codec) => {
          this.#player = new EventPlayer(header, codec, file, memory);
          also?.onHeader(header, codec);
        },
        onEvents: (batch, seq) => {
          this.#player!.play(batch, seq, (row) => reader.placeOf(row));
          also?.onEvents(batch, seq);
        },
      },
      file,
      { chain },
    );
    this.#reader = reader;
  }

  /** What the log said of itself; `undefined` before its header was read. */
  get header(): EventsHeader | undefined {
    return this.#player?.header;
  }

  /** Memory and counts; `undefined` before the header was read. */
  get player(): EventPlayer | undefined {
    return this.#player;
  }

  /** Reads on, and plays. @throws {P2mError} as the reader and the player do */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** The log is over. Returns whether its writer has closed it. @throws {P2mError} where it is cut */
  end(): boolean {
    return this.#reader.end();
  }
}
