/**
 * Explains a divergence: what was recorded, what the model says, and who wrote the entry.
 *
 * A recording of a real kernel ships with the project. One store of its first log is altered, in memory: the log now says
 * that the balloon put a frame where the kernel had put none. The replay names that line, for the dump at the end knows
 * better, and the events of the replay tell how the model came to what it says.
 *
 *     node dist/examples/explain_divergence.js
 */
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { KINDS, kindName, OPERATIONS, type EntryCodec, type EventBatch } from 'xen-p2m/events';
import { recordingFolder } from 'xen-p2m/node';
import { replayRecording, type EventKeeper, type RecordingFiles } from 'xen-p2m/replay';

const FOLDER = fileURLToPath(new URL('../../test/recordings/k61-512M-balloon', import.meta.url));
const LOG = 'trace-1-down.txt.gz';
const LINE = 4001;

/** A store of the replay: who made it, and what it changed. */
interface Store {
  readonly log: string;
  /** Of the log, 1-based. */
  readonly line: number;
  readonly operation: string;
  readonly old: string;
  readonly now: string;
}

/** Which stores were made to each pfn, from the events of a replay. */
class Stores {
  readonly #ofPfn = new Map<number, Store[]>();

  /** Takes the events of each list that the replay begins with. */
  readonly keeper: EventKeeper = (header, codec) => {
    let [line, operation] = [0, ''];
    return (batch: EventBatch) => {
      for (let i = 0; i < batch.length; i++) {
        const kind = kindName(batch.kind[i]!);
        if (kind === 'call') [operation, line] = [OPERATIONS[batch.a[i]!]!, batch.e[i]!];
        // What no operation did is the list of the dump.
        else if (batch.kind[i] === KINDS.set_entry.id && batch.op[i] !== 0) {
          this.#add(batch, i, codec, { log: header.origin ?? '', line, operation });
        }
      }
    };
  };

  of(pfn: number, log: string): readonly Store[] {
    return (this.#ofPfn.get(pfn) ?? []).filter((store) => store.log === log);
  }

  #add(batch: EventBatch, i: number, codec: EntryCodec, by: Omit<Store, 'old' | 'now'>): void {
    const [pfn, old, now] = [batch.a[i]!, codec.toHex(batch.c[i]!), codec.toHex(batch.d[i]!)];
    const stores = this.#ofPfn.get(pfn);
    if (stores === undefined) this.#ofPfn.set(pfn, [{ ...by, old, now }]);
    else stores.push({ ...by, old, now });
  }
}

/** The folder with other lines in one of its logs. */
function withLog(files: RecordingFiles, log: string, lines: readonly string[]): RecordingFiles {
  async function* altered(): AsyncGenerator<Uint8Array, void, undefined> {
    yield await Promise.resolve(new TextEncoder().encode(lines.join('\n')));
  }
  return { ...files, open: (name) => (name === log ? altered() : files.open(name)) };
}

/** An entry as people say it. */
function words(entry: string): string {
  return entry === '0xffffffffffffffff' ? `${entry}, no frame` : `frame ${entry}`;
}

const files = recordingFolder(FOLDER);
const lines = gunzipSync(files.read(LOG)!).toString('latin1').split('\n');
const recorded = lines[LINE - 1]!;
lines[LINE - 1] = recorded.replace('mfn=0xffffffffffffffff', 'mfn=0x61234');
console.log(`line ${LINE} of ${LOG}`);
console.log(`  was ${recorded.trim()}`);
console.log(`  is  ${lines[LINE - 1]!.trim()}`);

const stores = new Stores();
const report = await replayRecording(withLog(files, LOG, lines), { memory: 'flat', keeper: stores.keeper });
console.log(`replayed ${report.events} events: ${String(report.verdict)}, divergences: ${report.divergenceCount}`);

const [first] = report.divergences;
if (first === undefined) throw new Error('the replay saw no divergence');
const pfn = Number(first.pfn);
console.log(
  `the first divergence is the ${first.operation}, pfn ${first.pfn}, and ${first.file}:${first.line} is to blame`,
);
console.log(`  recorded:  ${words(first.actual)}`);
console.log(`  the model: ${words(first.expected)}`);

const history = stores.of(pfn, first.file);
console.log(`because pfn ${first.pfn} held ${words(history[0]!.old)} when the log began, and then`);
for (const { line, operation, now } of history) console.log(`  line ${line}: ${operation} stored ${words(now)}`);
console.log(`nobody wrote it afterwards: either line ${history.at(-1)!.line} lies, or a store was not recorded`);
