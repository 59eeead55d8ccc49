import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  BatchLog,
  EventBatch,
  Global,
  INVALID,
  KINDS,
  mfnWord,
  payloadColumn,
  type StoredLog,
} from '../../../events/index.js';
import {
  EntryHistory,
  fewestPreemptions,
  GALLERY,
  headerOf,
  inlineScenario,
  LogIndex,
  Random,
  randomRun,
  runEntry,
  Timeline,
  type IndexStore,
} from '../../../replay/index.js';
import { pfnEndOf } from '../../../replay/audit/index/reached_pfns.js';
import { scenarioOf } from '../../../replay/scenario/read_scenario.js';
import { ScenarioProgram } from '../../../replay/scenario/scenario_program.js';
import { bootSequence, Domain, formByKernel, GEOMETRIES, lookUp } from '../../../src/index.js';
import { live, plans } from '../../src/histories.js';
import { set, treeDomain, TREES } from '../../src/tree_domain.js';
import { scheduleLog } from './race_logs.js';

/** Entries of the list of an x86_64 domain. */
const X86_PFNS = 2 ** 15;

/** A log in memory that keeps a chain, and may grow by whole blocks. */
export class ChainedLog extends BatchLog {
  readonly #chains: string[];

  constructor(log: BatchLog, blocks: number) {
    const batches = Array.from({ length: blocks }, (_, block) => log.read(block));
    super(log.name, log.header, log.codec, batches);
    const hash = createHash('sha256').update(JSON.stringify(log.header));
    this.#chains = batches.map(({ kind, op, a, b, c, d, e, length }) => {
      for (const column of [kind, op, a, b, c, d, e]) hash.update(column.subarray(0, length));
      return hash.copy().digest('hex');
    });
  }

  chainAt(block: number): string {
    return this.#chains[block]!;
  }
}

/** The events as a log whose blocks have `perBlock` events. */
export function blocksOf(log: BatchLog, perBlock: number): BatchLog {
  const batches: EventBatch[] = [];
  for (let block = 0; block < log.blocks; block++) {
    const batch = log.read(block);
    for (let i = 0; i < batch.length; i++) {
      if (batches.length === 0 || batches.at(-1)!.length === perBlock) batches.push(new EventBatch(16));
      batches.at(-1)!.copyRow(batch, i, payloadColumn(batch.kind[i]!));
    }
  }
  return new BatchLog(log.name, log.header, log.codec, batches);
}

/** The log of a domain that has kept all its events. */
export function domainLog(domain: Domain, events: EventBatch): BatchLog {
  return new BatchLog('test.p2mlog', headerOf(domain), domain.memory.codec, [events]);
}

/**
 * The log, and then stores as races make them (B1-B3): into the shared leaf, and into a leaf under a pfn that it is not of.
 */
function withStrayStores(domain: Domain, log: EventBatch, pfns: readonly number[]): BatchLog {
  const memory = new Timeline(domainLog(domain, log));
  memory.goTo(log.length);
  const { words, leafMask } = memory.memory;
  const pages = [words[Global.p2m_missing]!, words[Global.p2m_identity]!, memory.memory.storePage(0)];
  const stored = new Map<string, number>();
  pfns.forEach((pfn, i) => {
    const page = pages[i % pages.length]!;
    if (page === 0) return;
    const place = `${page} ${pfn & leafMask}`;
    const old = stored.get(place) ?? memory.memory.loadEntryOf(page, pfn);
    log.push(KINDS.set_entry.id, 0, 0, pfn, page, old, mfnWord(i + 5));
    stored.set(place, mfnWord(i + 5));
  });
  return domainLog(domain, log);
}

/** Logs of all forms on tiny geometries, blocks of few events. */
export function tinyLogs(): fc.Arbitrary<BatchLog> {
  const linear = fc.constantFrom('tiny' as const, 'tiny-pae' as const).chain((geometry) =>
    fc.tuple(plans(geometry), fc.array(fc.nat(15), { maxLength: 6 })).map(([plan, pfns]) => {
      const { domain, log } = live(plan, 'paged');
      return withStrayStores(domain, log, pfns);
    }),
  );
  const tree = fc
    .record({
      kernel: fc.constantFrom(...TREES),
      nrPages: fc.integer({ min: 1, max: 40 }),
      identity: fc.array(fc.tuple(fc.nat(70), fc.nat(70)), { maxLength: 3 }),
      sets: fc.array(fc.tuple(fc.nat(63), fc.constantFrom('m:7', 'f:9', 'i:3', '~')), { maxLength: 25 }),
    })
    .map(({ kernel, nrPages, identity, sets }) => {
      const domain = treeDomain({ kernel, nrPages, identity });
      for (const [pfn, value] of sets) set(domain, pfn, value);
      return domainLog(domain, domain.batch);
    });
  return fc
    .tuple(fc.oneof({ weight: 3, arbitrary: linear }, { weight: 1, arbitrary: tree }), fc.integer({ min: 1, max: 60 }))
    .map(([log, perBlock]) => blocksOf(log, perBlock));
}

/**
 * Logs of races: of each small scenario of the gallery, under each kernel that it names, a random schedule, and one that
 * breaks what it is about, where there is one.
 */
export function* raceLogs(): Generator<BatchLog> {
  const random = new Random(7);
  for (const entry of GALLERY) {
    if (entry.scenario === undefined) continue;
    for (const [kernel, expected] of Object.entries(entry.expect)) {
      const raced = scenarioOf({ ...entry.scenario, kernel });
      if (!raced.geometry.name.startsWith('tiny')) continue;
      const schedules = [randomRun(new ScenarioProgram(raced), random).schedule];
      if (expected === 'violated') {
        const [result] = runEntry({ ...entry, expect: { [kernel]: expected } }, { first: true });
        schedules.push(result!.exploration.violations[0]!.schedule);
      }
      for (const schedule of schedules) yield blocksOf(scheduleLog(raced, schedule), 16);
    }
  }
}

/** Events in a block of the logs below. */
const X86_BLOCK = 64;

/**
 * Logs on x86_64: the race of 2014 in 3.19-rc1, by the smallest schedule that shows it; and a domain that sets pfns without
 * order, in shared and in private leaves.
 */
export function* x86Logs(): Generator<BatchLog> {
  const raced = inlineScenario({
    kernel: '3.19-rc1',
    layout: ['nr 524288; hole 262144 524288'],
    threads: ['set 0x40002 m:77', 'set 0x40003 m:78'],
    check: ['shared-pte-page-written'],
  });
  const broken = fewestPreemptions(new ScenarioProgram(raced));
  if (broken.verdict !== 'found') throw new Error('3.19-rc1 has the race');
  yield blocksOf(scheduleLog(raced, broken.schedule), X86_BLOCK);
  const events = new EventBatch();
  const domain = new Domain({
    form: formByKernel('3.19-rc1'),
    geometry: GEOMETRIES.x86_64,
    nrPages: X86_PFNS,
    onEvents: (batch) => {
      for (let i = 0; i < batch.length; i++) events.copyRow(batch, i, payloadColumn(batch.kind[i]!));
    },
  });
  bootSequence(domain, {
    nrPages: X86_PFNS,
    firstEntry: mfnWord(0x1000),
    holes: [{ pfnStart: 2 ** 14, pfnEnd: X86_PFNS }],
  });
  const random = new Random(11);
  for (let i = 0; i < 300; i++) {
    const pfn = 512 * random.below(64) + random.below(4);
    const word = random.below(3) === 0 ? INVALID : mfnWord(random.below(4096));
    domain.run('set_phys_to_machine', domain.machines.setPhysToMachine, pfn, word);
  }
  domain.flush();
  yield blocksOf(domainLog(domain, events), X86_BLOCK);
}

/** Pfns that the logs above set, and others in the same leaves and PT pages. */
export function* x86Pfns(): Generator<number> {
  for (let leaf = 0; leaf < X86_PFNS; leaf += 512) for (const at of [0, 3, 511]) yield leaf + at;
  yield* [0x3ffff, 0x40000, 0x40002, 0x40003, 0x40200, 0x7ffff];
}

/** The events that change what a look-up of each pfn answers, by looking up all pfns after each event; default: all there can be. */
export function changesOf(log: StoredLog, pfns?: Iterable<number>): number[][] {
  const timeline = new Timeline(log);
  const { memory, form } = timeline;
  const end = pfnEndOf(memory, form.structure === 'tree');
  const asked = [...(pfns ?? Array.from({ length: end }, (_, pfn) => pfn))];
  const answers = asked.map((pfn) => lookUp(memory, pfn));
  const changes: number[][] = asked.map(() => []);
  for (let seq = 0; seq < log.events; seq++) {
    timeline.goTo(seq + 1);
    asked.forEach((pfn, i) => {
      const answer = lookUp(memory, pfn);
      if (answer !== answers[i]) changes[i]!.push(seq);
      answers[i] = answer;
    });
  }
  return changes;
}

/** An index of small stretches and many snapshots. */
export function smallIndex(log: StoredLog, store?: IndexStore): LogIndex {
  return new LogIndex(log, store, undefined, undefined, {
    stretchEvents: 100,
    keptEvents: 20,
    snapshotEvents: 30,
    snapshotBytesPerEvent: 1e6,
    stepEvents: 4,
    cacheBytes: 5000,
  });
}

/** What the history of a log by its index says, where it is not what `changes` says; empty: all is well. */
export function faultsOf(log: StoredLog, index: LogIndex, changes: readonly (readonly number[])[]): string[] {
  const history = new EntryHistory(log, index);
  const faults: string[] = [];
  const compare = (what: string, got: unknown, want: unknown): void => {
    const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
    if (a !== b) faults.push(`${what}: ${a}, not ${b}`);
  };
  for (const moment of [log.events, Math.floor(log.events / 2), Math.floor((log.events * 9) / 10)]) {
    const before = changes.map((seqs) => seqs.filter((seq) => seq < moment));
    before.forEach((seqs, pfn) => {
      compare(`pfn ${pfn} before ${moment}`, history.eventsOf(pfn, moment), seqs);
      compare(`setBy ${pfn} before ${moment}`, history.setBy(pfn, moment), seqs.at(-1) ?? -1);
    });
    const runs = history.runs(0, before.length, moment);
    const told = runs.flatMap(({ pfnStart, pfnEnd, seq }) => new Array<number>(pfnEnd - pfnStart).fill(seq));
    compare(
      `runs before ${moment}`,
      told,
      before.map((seqs) => seqs.at(-1) ?? -1),
    );
    if (runs.some(({ seq }, i) => i > 0 && runs[i - 1]!.seq === seq)) faults.push(`runs before ${moment} are cut`);
  }
  return faults;
}
