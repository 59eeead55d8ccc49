import { EntryCodec, INVALID, LogWriter, mfnWord } from '../../events/index.js';
import { EventReplay, headerOf } from '../../replay/index.js';
import type { Work } from '../contest.js';
import { bootedDomain } from './domains.js';

const NR_PAGES = 2 ** 20;
/** Pfns that the balloon takes and gives back. */
const BALLOON = 2 ** 19;
/** As a file is read. */
const CHUNK_BYTES = 2 ** 16;

/**
 * Replays a binary log that lies in memory: read in chunks, checksums and every column checked, applied. It is that of a
 * balloon on a booted list, pfns ascending: `call`, `set_entry`, `return` for each, down and then up again.
 */
export function logReplays(kind: 'paged' | 'flat'): Work {
  const log = record();
  return {
    run() {
      const replay = new EventReplay('p2mlog', 'bench.p2mlog', { memory: kind });
      for (let at = 0; at < log.length; at += CHUNK_BYTES) replay.push(log.subarray(at, at + CHUNK_BYTES));
      replay.end();
      const { events } = replay.player!;
      return { count: events, check: events };
    },
  };
}

function record(): Uint8Array {
  const parts: Uint8Array[] = [];
  const codec = new EntryCodec(64);
  const header = headerOf(bootedDomain({ nrPages: NR_PAGES }));
  const writer = new LogWriter((bytes) => parts.push(bytes.slice()), header, codec);
  const domain = bootedDomain({ nrPages: NR_PAGES, codec, onEvents: (batch) => writer.append(batch) });
  const { setPhysToMachine } = domain.machines;
  for (let pfn = 0; pfn < BALLOON; pfn++) domain.run('set_phys_to_machine', setPhysToMachine, pfn, INVALID);
  for (let pfn = 0; pfn < BALLOON; pfn++) domain.run('set_phys_to_machine', setPhysToMachine, pfn, mfnWord(pfn));
  domain.flush();
  writer.close();
  return Buffer.concat(parts);
}
