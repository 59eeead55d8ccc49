import { closeSync, existsSync, openSync, statSync, unlinkSync } from 'node:fs';
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
import { NodeLogFile } from '../node/log_file.js';

/** The event logs that `-o FILE` writes: FILE, and FILE-2, FILE-3 ... where a replay begins anew with another list. */
export class EventFiles {
  readonly #name: string;
  readonly #format: EventFormat;
  readonly #open: { readonly file: NodeLogFile; readonly writer: EventWriter }[] = [];

  /**
   * @param inputs files that are read meanwhile: none of them may be written
   * @throws {P2mError} the name ends in no format of ours, is that of an input, or cannot be written
   */
  constructor(name: string, inputs: readonly string[]) {
    const format = eventFormatByName(name);
    if (format === undefined) {
      throw usageError('unknown kind of event log', { got: name, expected: 'a name that ends in .p2mlog or .jsonl' });
    }
    const input = inputs.find((file) => isSameFile(file, name));
    if (input !== undefined) {
      throw usageError('the output would overwrite what is read', { got: name, expected: 'another file' });
    }
    tryToWrite(name);
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

/** Finds out before anything is replayed. @throws {P2mError} the file cannot be written */
function tryToWrite(name: string): void {
  const existed = existsSync(name);
  try {
    closeSync(openSync(name, 'a'));
    if (!existed) unlinkSync(name);
  } catch (error) {
    throw inputError('cannot write', { file: name, got: (error as Error).message });
  }
}

/** Whether both are there, and one file; whoever opens them says why one is not. */
function isSameFile(a: string, b: string): boolean {
  try {
    const [one, other] = [statSync(a), statSync(b)];
    return one.dev === other.dev && one.ino === other.ino;
  } catch {
    return false;
  }
}
