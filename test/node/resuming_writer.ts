/**
 * An engine that begins the log in FOLDER, or goes on with it, and says on stdout what it has acknowledged: the number of
 * events, and the frame that it has stored. Until it is killed: `node resuming_writer.mjs FOLDER`.
 */
import { writeSync } from 'node:fs';
import { keepLog, type KeptLogOptions } from '../../node/kept_log.js';
import { isLogFolder } from '../../node/log_storage.js';
import { resumeEngine } from '../../node/resumed_engine.js';
import { bootEngine } from '../../src/library.js';

const PLAN = { geometry: 'tiny', nrPages: 32, holes: [{ pfnStart: 8, pfnEnd: 16 }] };

// No await at the top: what is bundled with it, and imported later, would wait for it.
void write(process.argv[2]!, { segmentBytes: 3000 });

async function write(folder: string, options: KeptLogOptions): Promise<never> {
  const engine = isLogFolder(folder)
    ? (await resumeEngine(folder, options)).engine
    : bootEngine({ ...PLAN, log: keepLog(folder, options) });
  const before = engine.entryOf(8);
  for (let mfn = before === '~' ? 1 : Number(before.slice(2)) + 1; ; mfn++) {
    await engine.execute({ operation: 'set_phys_to_machine', pfn: 8, value: `m:${mfn}` });
    writeSync(1, `${engine.appended} ${mfn}\n`);
  }
}
