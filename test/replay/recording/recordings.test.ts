import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EntryCodec, INVALID } from '../../../events/index.js';
import { readDump } from '../../../replay/recording/dump.js';
import { gunzipIfNeeded } from '../../../replay/recording/gunzip.js';
import { parseInfo } from '../../../replay/recording/info.js';
import { parsePageKinds } from '../../../replay/recording/page_kinds.js';
import { parseRecording } from '../../../replay/recording/recording.js';

/** The large recordings stand beside the project; where they are absent these tests are skipped, and shown as such. */
const folder = fileURLToPath(new URL('../../../../shared/recordings', import.meta.url));
const absent = !existsSync(folder);
const files = absent ? [] : readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

const read = (file: string) => readFileSync(`${folder}/${file}`);
const unzipped = (file: string) => gunzipIfNeeded(read(file), file);
const named = (pattern: RegExp) => (absent ? ['(no recordings)'] : files.filter((file) => pattern.test(file)));

describe.skipIf(absent)('../shared/recordings', () => {
  it.each(named(/\.info$/))('%s, its dump and its page kinds tell the same size', (file) => {
    const stem = file.replace(/\.info$/, '');
    const info = parseInfo(read(file), file);
    const codec = new EntryCodec(64);
    const words = readDump(unzipped(`${stem}.bin.gz`), codec, `${stem}.bin.gz`);
    expect(words).toHaveLength(info.pfnEnd! - info.pfnStart!);
    const invalid = words.reduce((count, word) => count + (word === INVALID ? 1 : 0), 0);
    expect(read(file).toString()).toContain(` invalid=${invalid} `);

    const runs = parsePageKinds(read(`${stem}.pt.txt`), `${stem}.pt.txt`);
    expect(runs[0]!.pfnStart).toBe(0);
    expect(runs.at(-1)!.pfnEnd).toBe(info.xenP2mSize);
    for (const [i, run] of runs.slice(1).entries()) expect(run.pfnStart).toBe(runs[i]!.pfnEnd);
    const ownPages =
      runs.filter(({ kind }) => kind === 'own').reduce((sum, run) => sum + run.pfnEnd - run.pfnStart, 0) / 512;
    expect(read(file).toString()).toContain(` own=${ownPages} `);
  });

  it.each(named(/replay\.json$/))('%s is a recording whose files are there', (file) => {
    const recording = parseRecording(read(file), file);
    const beside = file.replace('replay.json', '');
    for (const { from, log, to, checkpoints = [] } of recording.steps) {
      expect(files).toContain(beside + log);
      const dumps = [from, to, ...checkpoints.map(({ dump }) => dump)].filter((name) => name !== null);
      for (const name of dumps) expect(files).toContain(`${beside}p2m-${name}.bin.gz`);
    }
  });
});
