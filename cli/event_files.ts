import { closeSync, openSync, writeSync } from 'node:fs';
import {
  eventFormatByName,
  eventWriter,
  inputError,
  usageError,
  type EntryCodec,
  type EventBatch,
  type EventFormat,
  type EventsHeader,
  type EventWriter,
} from '../events/index.js';

/** The event logs that `-o FILE` writes: FILE, and FILE-2, FILE-3 ... where a replay begins anew with another list. */
export class EventFiles {
  readonly #file: string;
  readonly #format: EventFormat;
  readonly #open: { readonly file: string; readonly fd: number; readonly writer: EventWriter }[] = [];

  /** @throws {P2mError} the name ends in no format of ours */
  constructor(file: string) {
    const format = eventFormatByName(file);
    if (format === undefined) {
      throw usageError('unknown kind of event log', { got: file, expected: 'a name that ends in .p2mlog or .jsonl' });
    }
    this.#file = file;
    this.#format = format;
  }

  /** Begins a log. @throws {P2mError} it cannot be written */
  begin(header: EventsHeader, codec: EntryCodec): (batch: EventBatch) => void {
    const file = this.#nextName();
    const fd = trying(file, () => openSync(file, 'w'));
    const sink = (bytes: Uint8Array): void => {
      for (let at = 0; at < bytes.length;) at += trying(file, () => writeSync(fd, bytes, at));
    };
    const writer = eventWriter(this.#format, sink, header, codec);
    this.#open.push({ file, fd, writer });
    return (batch) => writer.append(batch);
  }

  /** Ends all logs. Gives their names. */
  close(): string[] {
    return this.#open.splice(0).map(({ file, fd, writer }) => {
      writer.close();
      trying(file, () => closeSync(fd));
      return file;
    });
  }

  #nextName(): string {
    const count = this.#open.length + 1;
    if (count === 1) return this.#file;
    const ending = `.${this.#format}`;
    return `${this.#file.slice(0, -ending.length)}-${count}${ending}`;
  }
}

function trying<T>(file: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw inputError('cannot write', { file, got: (error as Error).message });
  }
}
