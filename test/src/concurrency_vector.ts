import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { Global, INVALID, KINDS, mfnWord, type Word } from '../../events/index.js';
import {
  alignUp,
  Domain,
  formByKernel,
  GEOMETRIES,
  lookUp,
  undo,
  type Cpu,
  type Form,
  type Step,
} from '../../src/index.js';

const ROOT = new URL('../vectors/concurrency/', import.meta.url);

const schema = z.looseObject({
  kernel: z.string(),
  layout: z.array(z.array(z.string())),
  threads: z.array(z.array(z.tuple([z.string(), z.int()]).rest(z.string()))),
  initial: z.record(z.string(), z.string()),
  outcomes: z.array(
    z.looseObject({
      outcome: z.looseObject({
        results: z.array(z.array(z.union([z.boolean(), z.string(), z.null()]))),
        final: z.record(z.string(), z.string()),
        alloc: z.array(z.tuple([z.int(), z.int()])),
        lastPfn: z.int().optional(),
        maxPfn: z.int().optional(),
      }),
      schedule: z.array(z.tuple([z.string(), z.string()])),
    }),
  ),
});

/** A concurrency vector: a scenario with the outcomes of all its interleavings (vectors/README.md). */
export type ConcurrencyVector = z.infer<typeof schema>;

/** Names of the concurrency vectors that ship with the project. */
export function concurrencyVectors(): string[] {
  return readdirSync(ROOT).map((name) => name.replace(/\.json\.gz$/, ''));
}

/** Reads one of them. */
export function readConcurrencyVector(name: string): ConcurrencyVector {
  return schema.parse(JSON.parse(gunzipSync(readFileSync(new URL(`${name}.json.gz`, ROOT))).toString()));
}

type Operation = ConcurrencyVector['threads'][number][number];
type Result = boolean | string | null;

/** What a schedule led to, in the fields of a vector's outcome. */
export interface ScheduleOutcome {
  readonly results: Result[][];
  readonly final: Record<string, string>;
  readonly alloc: [number, number][];
  readonly lastPfn?: number;
  readonly maxPfn?: number;
}

/** The domain of a scenario, which can run one schedule after the other: each is taken back by undo. */
export class ScheduledDomain {
  readonly #domain: Domain;
  readonly #vector: ConcurrencyVector;

  constructor(vector: ConcurrencyVector) {
    this.#vector = vector;
    this.#domain = bootScenario(vector);
  }

  /** Runs a schedule of the vector to its end. @throws Error where a thread is not at the step that the schedule names. */
  run(schedule: readonly (readonly [thread: string, step: string])[]): ScheduleOutcome {
    const d = this.#domain;
    const threads = this.#vector.threads.map((operations, i) => new Thread(d, i, operations));
    for (const thread of threads) thread.settle();
    for (const [name, step] of schedule) {
      const thread = threads['ABC'.indexOf(name)]!;
      if (thread.at !== step) throw new Error(`thread ${name} is at "${thread.at}", the schedule says "${step}"`);
      if (!thread.step()) break;
    }
    const outcome = this.#outcome(threads);
    this.#rewind();
    return outcome;
  }

  #outcome(threads: readonly Thread[]): ScheduleOutcome {
    const d = this.#domain;
    const { codec } = d.memory;
    const final = Object.fromEntries(
      Object.keys(this.#vector.initial).map((pfn) => [pfn, codec.format(lookUp(d.memory, Number(pfn)))]),
    );
    const base = {
      results: threads.map((thread) => thread.allResults()),
      final,
      alloc: threads.map((thread) => thread.pages()),
    };
    if (!d.form.listForTools) return base;
    return { ...base, lastPfn: d.global(Global.xen_p2m_last_pfn), maxPfn: d.global(Global['shared_info.max_pfn']) };
  }

  #rewind(): void {
    const { batch, memory, cpus } = this.#domain;
    for (let i = batch.length - 1; i >= 0; i--) undo(memory, batch, i);
    batch.clear();
    for (const cpu of cpus) cpu.abandon();
  }
}

/** A thread of a scenario on its CPU, at the granularity of the vectors. */
class Thread {
  readonly #domain: Domain;
  readonly #cpu: Cpu;
  readonly #id: number;
  readonly #operations: readonly Operation[];
  readonly #results: Result[] = [];
  #next = 0;

  constructor(domain: Domain, id: number, operations: readonly Operation[]) {
    this.#domain = domain;
    this.#cpu = domain.cpus[id]!;
    this.#id = id;
    this.#operations = operations;
  }

  /** The step that the thread would take; undefined where it has ended. */
  get at(): Step | undefined {
    if (this.#cpu.state !== 'running') return undefined;
    const { step } = this.#cpu.row;
    // 7.0 alone has a scheduling point after each unlock.
    return step === 'after unlock' && this.#domain.form.name !== '7.0' ? undefined : step;
  }

  /** Runs a step: its row and all that are joined to it. False: a kernel assertion ended the path. */
  step(): boolean {
    this.#row();
    return this.settle();
  }

  /** Runs on to the next row that begins a step. */
  settle(): boolean {
    for (;;) {
      if (this.#cpu.state === 'bug' || this.#cpu.state === 'fault') return false;
      if (this.#cpu.state === 'running') {
        if (this.at !== undefined) return true;
        this.#row();
      } else if (!this.#begin()) return true;
    }
  }

  allResults(): Result[] {
    return this.#operations.map((_, i) => this.#results[i] ?? null);
  }

  /** Pages allocated and freed. */
  pages(): [number, number] {
    const { batch } = this.#domain;
    let allocated = 0;
    let freed = 0;
    for (let i = 0; i < batch.length; i++) {
      if (batch.cpu[i] !== this.#id) continue;
      if (batch.kind[i] === KINDS.alloc_page.id) allocated++;
      if (batch.kind[i] === KINDS.free_page.id) freed++;
    }
    return [allocated, freed];
  }

  #row(): void {
    this.#cpu.step();
    if (this.#cpu.state === 'running') return;
    const { codec } = this.#domain.memory;
    const sets = this.#operations[this.#next - 1]![0] === 'set';
    if (this.#cpu.state !== 'idle') this.#results.push('BUG');
    else this.#results.push(sets ? this.#cpu.result !== 0 : codec.format(this.#cpu.result));
  }

  #begin(): boolean {
    const operation = this.#operations[this.#next];
    if (operation === undefined) return false;
    this.#next++;
    const { machines, memory } = this.#domain;
    const [kind, pfn, value] = operation;
    if (kind === 'set') this.#cpu.begin(machines.setPhysToMachine, pfn, memory.codec.parse(String(value)));
    else this.#cpu.begin(kind === 'lookup' ? machines.pfnToMfnRaw : machines.getPhysToMachine, pfn);
    return true;
  }
}

function bootScenario(vector: ConcurrencyVector): Domain {
  const pae = vector.kernel.endsWith('-pae');
  const geometry = GEOMETRIES[pae ? 'x86_32' : 'x86_64'];
  let nrPages = pae ? 4_194_304 : 1_310_720;
  let limit = 0;
  let tree = true;
  const ranges: { missing: boolean; start: number; end: number }[] = [];
  for (const [what, a, b] of vector.layout) {
    if (what === 'nr') nrPages = Number(a);
    else if (what === 'limit') limit = Number(a) * geometry.pfnsPerGib;
    else if (what === 'notree') tree = false;
    else ranges.push({ missing: what === 'hole', start: Number(a), end: Number(b) });
  }
  const d = new Domain({
    form: formOf(vector.kernel.replace(/-pae$/, '')),
    geometry,
    nrPages,
    p2mLimitPfns: limit,
    cpus: vector.threads.length,
  });
  const { codec } = d.memory;
  const list = new Int32Array(alignUp(nrPages, geometry.perPage));
  codec.writeRun(list, 0, nrPages, mfnWord(1000), 1);
  for (const { missing, start, end } of ranges) {
    codec.writeRun(list, start, Math.min(end, nrPages), missing ? INVALID : codec.identityOf(start), 1);
  }
  const flat = codec.runsOf(list);
  const runs: [number, Word, number][] = [];
  for (let i = 0; i < flat.length; i += 3) runs.push([flat[i]!, flat[i + 1]!, flat[i + 2]!]);
  d.boot(nrPages, runs);
  d.run('xen_vmalloc_p2m_tree', d.machines.xenVmallocP2mTree, 0);
  if (tree) {
    d.run('xen_build_mfn_list_list', d.machines.xenBuildMfnListList, 0);
    d.setGlobal(Global.HYPERVISOR_shared_info, 1);
    d.run('xen_setup_mfn_list_list', d.machines.xenSetupMfnListList, 0);
  }
  d.slabUp();
  d.flush();
  return d;
}

/** `3.19-rc1b` is 3.19-rc1 with B2 switched off. */
function formOf(kernel: string): Form {
  return kernel === '3.19-rc1b' ? { ...formByKernel('3.19-rc1'), secondPmdPopulated: true } : formByKernel(kernel);
}
