import { EventBatch, INVALID, KINDS, mfnWord } from '../../events/index.js';
import { apply, FlatMemory, PagedMemory, undo, type Capacity, type Domain, type Memory } from '../../src/index.js';
import type { Work } from '../contest.js';
import { bootedDomain } from './domains.js';

const NR_PAGES = 2 ** 20;
const SETS = 2 ** 18;
const STRIDE = 40_503;
const PER_PAGE = 512;

/** A recorded history: what boot did, then what is measured. */
interface History {
  readonly capacity: Capacity;
  readonly boot: EventBatch;
  readonly run: EventBatch;
}

/** What the measured part of a history consists of. */
export type Mix = 'ballooning' | 'scattered stores' | 'first touches';

/**
 * Replays a recorded batch, event by event, onto memory that stands where boot left it. `undone` measures the way back.
 */
export function replays(kind: 'paged' | 'flat', mix: Mix, undone: boolean): Work {
  const history = record(kind, mix);
  const { run } = history;
  let memory: Memory;
  return {
    prepare() {
      memory = kind === 'flat' ? new FlatMemory(history.capacity) : new PagedMemory(history.capacity);
      applyAll(memory, history.boot);
      if (undone) applyAll(memory, run);
    },
    run() {
      if (undone) undoAll(memory, run);
      else applyAll(memory, run);
      return { count: run.length, check: run.length };
    },
  };
}

function applyAll(memory: Memory, batch: EventBatch): void {
  for (let i = 0; i < batch.length; i++) apply(memory, batch, i);
}

function undoAll(memory: Memory, batch: EventBatch): void {
  for (let i = batch.length - 1; i >= 0; i--) undo(memory, batch, i);
}

function record(kind: 'paged' | 'flat', mix: Mix): History {
  const log = new EventBatch();
  const onEvents = (batch: EventBatch): void => {
    for (let i = 0; i < batch.length; i++) log.copyRow(batch, i, payloadColumn(batch.kind[i]!));
  };
  const holes = mix === 'first touches' ? [{ pfnStart: PER_PAGE, pfnEnd: NR_PAGES }] : [];
  const domain = bootedDomain({ nrPages: NR_PAGES, memory: kind, onEvents }, holes);
  const bootLength = log.length;
  MIXES[mix](domain);
  domain.flush();
  const { geometry, areaPfns, cpus } = domain.memory.layout;
  return {
    capacity: { geometry, nrPages: NR_PAGES, areaPfns, cpus },
    boot: slice(log, 0, bootLength, () => true),
    // The log as it is, with the records that open and close operations, but for the worst case.
    run: slice(log, bootLength, log.length, (kindId) => mix !== 'scattered stores' || kindId === KINDS.set_entry.id),
  };
}

const MIXES: Readonly<Record<Mix, (domain: Domain) => void>> = {
  ballooning(domain) {
    // Down by a stretch, up again with other frames.
    const stretch = 256;
    for (let i = 0; i < SETS; i += 2 * stretch) {
      const pfn = (i * STRIDE) % (NR_PAGES - stretch);
      for (let k = 0; k < stretch; k++) set(domain, pfn + k, INVALID);
      for (let k = 0; k < stretch; k++) set(domain, pfn + k, mfnWord(i + k));
    }
  },
  'scattered stores'(domain) {
    // The worst case: no two of them near each other.
    for (let i = 0; i < SETS; i++) set(domain, (i * STRIDE) % NR_PAGES, mfnWord(i));
  },
  'first touches'(domain) {
    // A leaf's first pfn links it; 63 more are stored.
    for (let leaf = 1; leaf < NR_PAGES / PER_PAGE; leaf++) {
      for (let k = 0; k < 64; k++) set(domain, leaf * PER_PAGE + k * 8, mfnWord(leaf + k));
    }
  },
};

function set(domain: Domain, pfn: number, word: number): void {
  domain.run('set_phys_to_machine', domain.machines.setPhysToMachine, pfn, word);
}

/** Rows [begin, end) that are wanted, payloads included. */
function slice(log: EventBatch, begin: number, end: number, wanted: (kind: number) => boolean): EventBatch {
  const batch = new EventBatch(end - begin);
  for (let i = begin; i < end; i++) {
    if (wanted(log.kind[i]!)) batch.copyRow(log, i, payloadColumn(log.kind[i]!));
  }
  return batch;
}

/** Which operand of a kind is a payload's offset; -1 where none is. */
function payloadColumn(kind: number): number {
  const spec = Object.values(KINDS).find(({ id }) => id === kind)!;
  return Object.values(spec.fields).indexOf('payload');
}
