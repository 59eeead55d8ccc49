import { closeSync, createReadStream, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { JsonlWriter, readLog, type EventBatch } from '../../events/index.js';
import { readFilePieces } from '../../node/index.js';
import type { Appender, LogContestant } from './contestant.js';

/** Our own JSON lines, their facts named as docs/events.md does. */
export const jsonl: LogContestant = {
  open(folder, { header, codec }, sync) {
    const file = new File(pathOf(folder), sync);
    const writer = new JsonlWriter((bytes) => file.write(bytes), header, codec);
    return file.appender(
      (batch) => writer.append(batch),
      () => writer.close(),
    );
  },

  async scan(folder, seen) {
    for await (const { batch, seq } of await readLog(readFilePieces(pathOf(folder)), 'events.jsonl')) {
      seen.batch(batch, seq);
    }
  },
};

/** The columns of an event, as `JSON.stringify` prints them. */
interface Line {
  readonly seq: number;
  readonly kind: number;
  readonly cpu: number;
  readonly op: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
}

/** The least that a program does for JSON lines: an object an event, `JSON.stringify`, `JSON.parse`; nothing is checked. */
export const plainJson: LogContestant = {
  open(folder, _history, sync) {
    const file = new File(pathOf(folder), sync);
    const print = (batch: EventBatch, seq: number): void => {
      const { kind, cpu, op, a, b, c, d, e } = batch;
      let text = '';
      for (let i = 0; i < batch.length; i++) {
        const line: Line = {
          seq: seq + i,
          kind: kind[i]!,
          cpu: cpu[i]!,
          op: op[i]!,
          a: a[i]!,
          b: b[i]!,
          c: c[i]!,
          d: d[i]!,
          e: e[i]!,
        };
        text += `${JSON.stringify(line)}\n`;
      }
      file.write(Buffer.from(text));
    };
    return file.appender(print, () => {
      // Lines have no end of their own.
    });
  },

  async scan(folder, seen) {
    for await (const text of createInterface({ input: createReadStream(pathOf(folder)) })) {
      const { seq, kind, a, d } = JSON.parse(text) as Line;
      seen.event(seq, kind, a, d);
    }
  },
};

/** A file that text is appended to. */
class File {
  readonly #fd: number;
  readonly #sync: boolean;

  constructor(path: string, sync: boolean) {
    this.#fd = openSync(path, 'w');
    this.#sync = sync;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
  }

  appender(append: (batch: EventBatch, seq: number) => void, end: () => void): Appender {
    return {
      append: (batch, seq) => {
        append(batch, seq);
        if (this.#sync) fdatasyncSync(this.#fd);
      },
      flush: () => {
        // Nothing is held back.
      },
      close: () => {
        end();
        closeSync(this.#fd);
      },
    };
  }
}

function pathOf(folder: string): string {
  return join(folder, 'events.jsonl');
}
