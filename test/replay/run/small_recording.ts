import { EntryCodec, Global, INVALID, mfnWord, type Word } from '../../../events/index.js';
import {
  Domain,
  formByKernel,
  GEOMETRIES,
  leafClass,
  LeafClass,
  type ListState,
  type Machine,
} from '../../../src/index.js';
import type { FileSet } from './recordings.js';

/** A recording that is made by running a model, small enough to be made a hundred times. */

const GEOMETRY = GEOMETRIES.x86_64;
const SIZE = GEOMETRY.pfnsPerMidPage;
/** Pfns of its dumps: leaves of its own, then shared ones. */
export const DUMPED_PFNS = 16 * GEOMETRY.perPage;
const OWN_PFNS = 4 * GEOMETRY.perPage;

/** What the log says of the calls: entry lines and return lines, of the functions that have probes. */
export interface Probes {
  readonly entries: ReadonlySet<string>;
  readonly returns: ReadonlySet<string>;
}

export const ALL_PROBES: Probes = probes(
  '__set_phys_to_machine',
  'set_phys_to_machine',
  'get_phys_to_machine',
  'xen_alloc_p2m_entry',
  'set_foreign_p2m_mapping',
  'clear_foreign_p2m_mapping',
);

/** Probes on entry and return of each function. */
export function probes(...names: string[]): Probes {
  return { entries: new Set(names), returns: new Set(names) };
}

/** A call that a task makes. Grants are a call around look-ups and stores. */
export type Call =
  | { readonly op: 'set' | 'raw-set'; readonly pfn: number; readonly value: Word }
  | { readonly op: 'get' | 'alloc'; readonly pfn: number }
  | { readonly op: 'map' | 'unmap'; readonly pfns: readonly number[]; readonly mfn: number };

/** A task, on one CPU. */
export interface TaskOf {
  readonly comm: string;
  readonly pid: number;
  readonly cpu: number;
}

const NAMES: Readonly<Record<string, string>> = { alloc_p2m: 'xen_alloc_p2m_entry' };

/** Writes the log and the dumps of a domain whose calls it runs. */
export class RecordingMaker {
  readonly #codec = new EntryCodec(64);
  readonly #domain: Domain;
  readonly #probes: Probes;
  readonly #lines: string[] = [];
  readonly #before: FileSet;
  #time = 0;

  constructor(probed: Probes = ALL_PROBES) {
    this.#probes = probed;
    const entries = new Int32Array(DUMPED_PFNS);
    for (let pfn = 0; pfn < OWN_PFNS; pfn++) entries[pfn] = pfn % 3 === 0 ? INVALID : mfnWord(1000 + pfn);
    const state: ListState = {
      size: SIZE,
      lastPfn: OWN_PFNS,
      leaves: [
        { pfnStart: 0, pfnEnd: OWN_PFNS, leaf: 'own', ptPage: 'own' },
        { pfnStart: OWN_PFNS, pfnEnd: 2 * OWN_PFNS, leaf: 'missing', ptPage: 'own' },
        { pfnStart: 2 * OWN_PFNS, pfnEnd: SIZE, leaf: 'identity', ptPage: 'own' },
      ],
      entries,
      mfnTree: true,
    };
    this.#domain = new Domain({
      form: formByKernel('6.1'),
      geometry: GEOMETRY,
      memory: 'flat',
      codec: this.#codec,
      nrPages: 1,
      maxPfn: SIZE,
    });
    this.#domain.adopt(state);
    this.#before = this.#dump('before');
  }

  /** Runs a call of a task, a line of the log each time that the iterator is asked. The model runs at entry lines. */
  *run(task: TaskOf, call: Call): Generator<void, void, void> {
    if (!('pfns' in call)) {
      if (call.op === 'set' && !this.#probes.entries.has('set_phys_to_machine')) {
        // Only its parts have lines, and each takes effect at its own.
        yield* this.#set(task, call.pfn, call.value);
        return;
      }
      yield* this.#operation(task, call.op, call.pfn, 'value' in call ? call.value : 0);
      return;
    }
    const name = call.op === 'map' ? 'set_foreign_p2m_mapping' : 'clear_foreign_p2m_mapping';
    yield* this.#line(task, name, `count=${call.pfns.length}`);
    for (const [slot, pfn] of call.pfns.entries()) {
      if (call.op === 'unmap') yield* this.#set(task, pfn, INVALID);
      else {
        yield* this.#operation(task, 'get', pfn, 0);
        yield* this.#set(task, pfn, this.#codec.foreignOf(mfnWord(call.mfn + slot)));
      }
    }
    yield* this.#line(task, `${name}_ret`, 'ret=0');
  }

  /** set_phys_to_machine inlined, as in the grant operations, or without probes. */
  *#set(task: TaskOf, pfn: number, value: Word): Generator<void, void, void> {
    if (yield* this.#operation(task, 'raw-set', pfn, value)) return;
    yield* this.#operation(task, 'alloc', pfn, 0);
    yield* this.#operation(task, 'raw-set', pfn, value);
  }

  *#operation(
    task: TaskOf,
    op: 'set' | 'raw-set' | 'get' | 'alloc',
    pfn: number,
    value: Word,
  ): Generator<void, boolean, void> {
    const { machines, cpus } = this.#domain;
    const machine = {
      set: machines.setPhysToMachine,
      'raw-set': machines.setPhysToMachineNoAlloc,
      get: machines.getPhysToMachine,
      alloc: machines.allocP2m,
    }[op];
    // What the log shows of the call: filled while the model runs it, written line by line.
    const shown: [event: string, args: string][] = [];
    const cpu = cpus[0]!;
    cpu.observer = {
      onCall: (inner, innerPfn, innerValue) => shown.push([nameOf(inner), this.#args(inner, innerPfn, innerValue)]),
      onReturn: (inner, ret) => shown.push([`${nameOf(inner)}_ret`, this.#ret(inner, ret)]),
    };
    this.#domain.run('set_phys_to_machine', machine, pfn, value);
    this.#domain.flush();
    cpu.observer = undefined;
    // Other tasks run before the lines are written.
    const succeeded = cpu.result !== 0;
    for (const [event, args] of shown) yield* this.#line(task, event, args);
    return succeeded;
  }

  *#line(task: TaskOf, event: string, args: string): Generator<void, void, void> {
    const name = event.replace(/_ret$/, '');
    const { entries, returns } = this.#probes;
    if (!(event === name ? entries : returns).has(name)) return;
    const head = `${`${task.comm}-${task.pid}`.padStart(23)} [${String(task.cpu).padStart(3, '0')}] ..... `;
    const place = event === name ? `${name}+0x0/0x40` : `caller+0x14/0x40 <- ${name}`;
    this.#time++;
    this.#lines.push(`${head}${(this.#time / 1000).toFixed(6).padStart(12)}: ${event}: (${place}) ${args}`);
    yield;
  }

  #args(machine: Machine, pfn: number, value: Word): string {
    const takesValue = machine.name.endsWith('set_phys_to_machine');
    return `pfn=0x${pfn.toString(16)}${takesValue ? ` mfn=${this.#codec.toHex(value)}` : ''}`;
  }

  #ret(machine: Machine, ret: number): string {
    if (machine.name === 'get_phys_to_machine') return `mfn=${this.#codec.toHex(ret)}`;
    return machine.name === 'alloc_p2m' ? `ret=${ret === 0 ? -12 : 0}` : `ret=${ret}`;
  }

  /** The recording so far: dumps, log with a header that counts its lines, replay.json. */
  files(): FileSet {
    const n = this.#lines.length;
    const header = ['# tracer: nop', '#', `# entries-in-buffer/entries-written: ${n}/${n}   #P:4`, '#'];
    const steps = [{ from: 'before', log: 'trace.txt', to: 'after' }];
    return new Map([
      ...this.#before,
      ...this.#dump('after'),
      ['replay.json', bytesOf(JSON.stringify({ kernel: '6.1', steps }))],
      ['trace.txt', bytesOf(`${[...header, ...this.#lines].join('\n')}\n`)],
    ]);
  }

  #dump(name: string): FileSet {
    const { memory } = this.#domain;
    const { perPage } = GEOMETRY;
    const words = new DataView(new ArrayBuffer(8 * DUMPED_PFNS));
    const kinds: string[] = [];
    for (let pfn = 0; pfn < SIZE; pfn += perPage) {
      const kind = leafClass(memory, pfn);
      const own = kind === LeafClass.entries;
      const [what, flags] = own ? ['own', 7] : [kind === LeafClass.identity ? 'identity' : 'missing', 5];
      const range = `[0x${pfn.toString(16)},0x${(pfn + perPage).toString(16)})`;
      kinds.push(`pfn ${range} ${what} flags=0x${flags} pte_page=own_pte pte_page_pfn=0x1`);
      for (let i = pfn; i < pfn + perPage && i < DUMPED_PFNS; i++) {
        const word = own ? memory.words[memory.entryAddress(i)]! : INVALID;
        words.setUint32(8 * i, this.#codec.rawLo(word), true);
        words.setUint32(8 * i + 4, this.#codec.rawHi(word), true);
      }
    }
    const symbol = (symbolName: string, value: number): string =>
      `sym ${symbolName} addr=0x1 value=0x${value.toString(16)}`;
    const info = [
      symbol('xen_p2m_size', SIZE),
      symbol('xen_p2m_last_pfn', this.#domain.global(Global.xen_p2m_last_pfn)),
      `dump pfns=[0,0x${DUMPED_PFNS.toString(16)})`,
    ];
    return new Map([
      [`p2m-${name}.bin`, new Uint8Array(words.buffer)],
      [`p2m-${name}.pt.txt`, bytesOf(`${kinds.join('\n')}\n`)],
      [`p2m-${name}.info`, bytesOf(`${info.join('\n')}\n`)],
    ]);
  }
}

function nameOf(machine: Machine): string {
  return NAMES[machine.name] ?? machine.name;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
