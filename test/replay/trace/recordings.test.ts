import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { unzipped } from '../../../replay/recording/unzipped.js';
import { decoderFor, sniffLog, type TextFormat } from '../../../replay/trace/sniff.js';
import { TraceLine, TraceNames } from '../../../replay/trace/trace_line.js';
import { type LineDecoder, LineKind, TraceReader } from '../../../replay/trace/trace_reader.js';
import { countsOf, decodeLine, seenLine } from './trace_lines.js';

/** The large recordings stand beside the project; where they are absent these tests are skipped, and shown as such. */
const folder = fileURLToPath(new URL('../../../../shared/recordings', import.meta.url));
const absent = !existsSync(folder);
const LOG = /\/(trace(-\d[^/]*)?|trace-cmd-report|perf-script|earlyboot-calls)\.txt\.gz$/;
const logs = absent
  ? ['(no recordings)']
  : readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => LOG.test(file))
      .sort();

const FORMATS: Readonly<Record<string, TextFormat>> = {
  'trace-cmd-report.txt.gz': 'trace-cmd',
  'perf-script.txt.gz': 'perf',
  'earlyboot-calls.txt.gz': 'early-boot',
};

interface Meta {
  readonly logs: Readonly<Record<string, { events: number; per_event: Record<string, number> }>>;
}

describe.skipIf(absent)('../shared/recordings, unzipped, sniffed and read', () => {
  it.each(logs)('%s has the events that meta.json counts', async (file) => {
    const [recording, log] = file.split('/') as [string, string];
    const meta = JSON.parse(readFileSync(`${folder}/${recording}/meta.json`, 'utf8')) as Meta;
    let decoder: LineDecoder | undefined;
    let reader: TraceReader | undefined;
    const names = new TraceNames();
    const handler = { onEvent: () => undefined, onLoss: () => expect.fail('a loss') };
    for await (const bytes of unzipped(createReadStream(`${folder}/${file}`), file)) {
      if (reader === undefined) {
        const format = sniffLog(bytes, file);
        expect(format).toBe(FORMATS[log] ?? 'ftrace');
        decoder = decoderFor(format as TextFormat, names);
        reader = new TraceReader(decoder, handler, file);
      }
      reader.push(bytes);
    }
    reader!.end();
    const counts = { entriesInBuffer: reader!.events, entriesWritten: reader!.events };
    expect(decoder!.summary).toEqual(decoder!.format === 'ftrace text' ? counts : undefined);
    const { events, per_event: perEvent } = meta.logs[log]!;
    expect(reader!.events).toBe(events);
    const expected = Object.entries(perEvent).map(([name, count]) => [name.replace(/^p2m:/, ''), count]);
    expect(countsOf({ reader: reader!, decoder: { names } })).toEqual(Object.fromEntries(expected));
  });

  it.each(absent ? logs : logs.filter((file) => /(caller|hold|xenmmu|perf|earlyboot)\//.test(file)))(
    '%s reads alike with and without learned shapes',
    (file) => {
      const bytes = new Uint8Array(gunzipSync(readFileSync(`${folder}/${file}`)));
      const format = sniffLog(bytes, file) as TextFormat;
      const names = new TraceNames();
      const [learned, fresh] = [decoderFor(format, names), decoderFor(format, names)];
      const [a, b] = [new TraceLine(), new TraceLine()];
      for (let start = 0, end; start < bytes.length; start = end + 1) {
        end = bytes.indexOf(0x0a, start);
        const kind = decodeLine(learned, bytes.subarray(start, end), a);
        Object.assign(b, { bytes, start, end });
        expect(fresh.decode(bytes, start, end, b)).toBe(kind);
        if (kind === LineKind.event)
          expect({ ...seenLine(a, learned), text: '' }).toEqual({ ...seenLine(b, fresh), text: '' });
      }
    },
  );
});
