import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mfnWord } from '../../events/index.js';
import { keepLog } from '../../node/index.js';
import { bootEngine } from '../../src/library.js';
import { setEntries, type Domain } from '../../src/index.js';
import type { Setting, Work } from '../contest.js';
import { bootedDomain, MFN_BASE } from './domains.js';

/** Sets between two times that events are handed on. */
const BATCH = 4096;
/** Pfns that are set in their order before the next stretch comes: a balloon's way. */
const STRETCH = 256;
/** Odd, so that it reaches every stretch. */
const STRIDE = 40_503;
const SEGMENT_BYTES = 2 ** 24;

/** Where the events of the sets go: to whoever is handed a batch, who counts them; or to a log on disk, its chain included. */
export type Recorded = 'handed on' | 'in a log';

/** A domain to set, and what keeps its events. */
interface Recording {
  readonly domain: Domain;
  readonly keep: () => void | Promise<void>;
  /** What was kept is no longer wanted, where it takes room. */
  readonly forget: () => void;
  /** Events kept so far. */
  readonly events: () => number;
}

/** Sets of populated entries, 4096 a batch (`setEntries`). */
export async function batchedSets(recorded: Recorded, setting: Setting): Promise<Work> {
  const { count, pfns, words } = plan(setting);
  const recording = await record(recorded, setting, count);
  return setsBy(recording, count, 1, (at, end, salt) => {
    for (let i = at; i < end; i++) words[i] = mfnWord(MFN_BASE + i + salt);
    const set = setEntries(recording.domain, pfns.subarray(at, end), words.subarray(at, end));
    if (set !== end - at) throw new Error(`${set} entries were set, want ${end - at}`);
  });
}

/** Sets of populated entries through the step machine of `set_phys_to_machine`: `call`, `set_entry`, `return` each. */
export async function setsByMachine(recorded: Recorded, setting: Setting): Promise<Work> {
  const { count, pfns } = plan(setting);
  const recording = await record(recorded, setting, count);
  const { domain } = recording;
  const { setPhysToMachine } = domain.machines;
  const cpu = domain.cpus[0]!;
  return setsBy(recording, count, 3, (at, end, salt) => {
    for (let i = at; i < end; i++) {
      domain.begin('set_phys_to_machine', setPhysToMachine, pfns[i]!, mfnWord(MFN_BASE + i + salt));
      cpu.run();
      domain.close('set_phys_to_machine', 0, cpu);
    }
  });
}

/** `set` sets those from `at` to `end`; each run with another salt, so that no entry is set to what it is. */
function setsBy(
  { keep, forget, events }: Recording,
  count: number,
  eventsEach: number,
  set: (at: number, end: number, salt: number) => void,
): Work {
  let salt = 0;
  return {
    prepare: forget,
    async run() {
      const before = events();
      salt ^= 1;
      for (let at = 0; at < count; at += BATCH) {
        set(at, Math.min(at + BATCH, count), salt);
        const kept = keep();
        if (kept !== undefined) await kept;
      }
      const recorded = events() - before;
      if (recorded !== count * eventsEach) throw new Error(`${recorded} events of ${count} sets were kept`);
      return { count, check: count };
    },
  };
}

function plan({ tiny }: Setting): { count: number; pfns: Int32Array; words: Int32Array } {
  const count = 2 ** (tiny ? 13 : 19);
  const pfns = Int32Array.from({ length: count }, (_, i) => {
    const stretch = Math.imul(Math.floor(i / STRETCH), STRIDE) & (count / STRETCH - 1);
    return stretch * STRETCH + (i % STRETCH);
  });
  return { count, pfns, words: new Int32Array(count) };
}

async function record(recorded: Recorded, { folder }: Setting, nrPages: number): Promise<Recording> {
  if (recorded === 'in a log') return recordInLog(join(folder, `sets-${process.pid}`), nrPages);
  let events = 0;
  const domain = bootedDomain({ nrPages, memory: 'flat', onEvents: ({ length }) => (events += length) });
  return { domain, keep: () => domain.flush(), forget: () => undefined, events: () => events };
}

/** Not synced: what is measured is what we do, not the disk. */
async function recordInLog(path: string, nrPages: number): Promise<Recording> {
  const log = keepLog(path, { sync: 'never', segmentBytes: SEGMENT_BYTES });
  const engine = bootEngine({ nrPages, memory: 'flat', log });
  // The events of the boot are not of the sets.
  await engine.flush();
  return {
    domain: engine.domain,
    keep: () => engine.flush(),
    forget: () => forgetSegments(path),
    events: () => engine.appended,
  };
}

/** All but the last, which is being written. */
function forgetSegments(path: string): void {
  const segments = existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.p2mlog')) : [];
  for (const name of segments.sort().slice(0, -1)) rmSync(join(path, name));
}
