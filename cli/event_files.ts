import {
  eventFormatByName,
  eventWriter,
  usageError,
  type EntryCodec,
  type EventBatch,
  type EventFormat,
  type EventsHeader,
  type EventWriter,
} from '../events/index.js';
import { NodeLogFile } from '../node/log_file.js';

/** The event logs that `-o FILE` writes: FILE, and FILE-2, FILE-3 ... where a replay begins anew with another list. */
export class EventFiles {
  readonly #name: string;
  readonly #format: EventFormat;
  readonly #open: { readonly file: NodeLogFile; readonly writer: EventWriter }[] = [];

  /** @throws {P2mError} the name ends in no format of ours */
  constructor(name: string) {
    const format = eventFormatByName(name);
    if (format === undefined) {
      throw usageError('unknown kind of event log', { got: name, expected: 'a name that ends in .p2mlog or .jsonl' });
    }
    this.#name = name;
    this.#format = format;
  }

  /** Begins a log. @throws {P2mError} it cannot be written */
  begin(header: EventsHeader, codec: EntryCodec): (batch: EventBatch) => void {
    const file = new NodeLogFile(this.#nextName());
    const writer = eventWriter(this.#format, (bytes) => file.write(bytes), header, codec);
    this.#open.push({ file, writer });
    return (batch) => writer.append(batch);
  }

  /** Ends all logs. Gives their names. */
  close(): string[] {
    return this.#open.splice(0).map(({ file, writer }) => {
      writer.close();
      file.close();
      return file.path;
    });
  }

  #nextName(): string {
    const count = this.#open.length + 1;
    if (count === 1) return this.#name;
    const ending = `.${this.#format}`;
    return `${this.#name.slice(0, -ending.length)}-${count}${ending}`;
  }
}
