import type { FileSet } from './recordings.js';

/**
 * Logs of tasks whose calls overlap, from a list of its own (not the engine's, so that one can judge the other): each
 * call of a task, and each call inside it, takes effect at a moment of its own between its entry and its return line.
 */

export const PER_PAGE = 512;
const SIZE = 512 * PER_PAGE;
const INVALID = 2n ** 64n - 1n;
const FOREIGN = 2n ** 63n;
const IDENTITY = 2n ** 62n;
const FIRST_PAGE = 0xffff888006000000n;

export type Kind = 'own' | 'missing' | 'identity';

export function identityOf(pfn: number): bigint {
  return IDENTITY | BigInt(pfn);
}

export { FOREIGN, INVALID };

/** What a task does. An interrupt's call is made in the middle of it, after so many of its moments. */
export type Action = Operation & { readonly interrupt?: { readonly after: number; readonly action: Action } };

type Operation =
  | { readonly op: 'set' | 'store'; readonly pfn: number; readonly value: bigint; readonly fails?: boolean }
  | { readonly op: 'get'; readonly pfn: number }
  | { readonly op: 'alloc'; readonly pfn: number; readonly fails?: boolean }
  | Grants;

interface Grants {
  readonly op: 'map' | 'unmap';
  readonly pfns: readonly number[];
  readonly mfn: number;
}

export interface RacingTask {
  readonly comm: string;
  readonly pid: number;
  readonly cpu: number;
  readonly actions: readonly Action[];
}

/** A line, before it is text. */
export interface RacingLine {
  readonly task: RacingTask;
  readonly event: string;
  readonly isReturn: boolean;
  readonly args: string;
}

/** The list as the kernel's memory shows it: leaves of three kinds, and the words of those that are private. */
export class RacedList {
  readonly kinds: Kind[];
  readonly words = new Map<number, bigint>();
  lastPfn: number;

  constructor(kinds: readonly Kind[], words: ReadonlyMap<number, bigint>) {
    this.kinds = [...kinds];
    for (const [pfn, word] of words) this.words.set(pfn, word);
    this.lastPfn = kinds.length * PER_PAGE;
  }

  kindOf(pfn: number): Kind {
    return this.kinds[Math.floor(pfn / PER_PAGE)] ?? 'identity';
  }

  get(pfn: number): bigint {
    const kind = this.kindOf(pfn);
    if (kind === 'own') return this.words.get(pfn) ?? INVALID;
    return kind === 'missing' ? INVALID : identityOf(pfn);
  }

  store(pfn: number, value: bigint): boolean {
    if (this.kindOf(pfn) !== 'own') return value === this.get(pfn);
    this.words.set(pfn, value);
    return true;
  }

  alloc(pfn: number): void {
    const leaf = Math.floor(pfn / PER_PAGE);
    const kind = this.kindOf(pfn);
    if (kind !== 'own') {
      if (kind === 'identity') {
        for (let p = leaf * PER_PAGE; p < (leaf + 1) * PER_PAGE; p++) this.words.set(p, identityOf(p));
      }
      this.kinds[leaf] = 'own';
    }
    if (pfn >= this.lastPfn) this.lastPfn = (leaf + 1) * PER_PAGE;
  }

  dump(name: string): FileSet {
    const pfns = this.kinds.length * PER_PAGE;
    const words = new BigUint64Array(pfns).fill(INVALID);
    const kinds: string[] = [];
    for (let pfn = 0; pfn < SIZE; pfn += PER_PAGE) {
      const kind = this.kindOf(pfn);
      const range = `[0x${pfn.toString(16)},0x${(pfn + PER_PAGE).toString(16)})`;
      kinds.push(`pfn ${range} ${kind} flags=0x${kind === 'own' ? 7 : 5} pte_page=own_pte pte_page_pfn=0x1`);
      if (kind !== 'own') continue;
      for (let p = pfn; p < pfn + PER_PAGE; p++) words[p] = this.words.get(p) ?? INVALID;
    }
    const info = [
      `sym xen_p2m_size addr=0x1 value=0x${SIZE.toString(16)}`,
      `sym xen_p2m_last_pfn addr=0x1 value=0x${this.lastPfn.toString(16)}`,
      `dump pfns=[0,0x${pfns.toString(16)})`,
    ];
    return new Map([
      [`p2m-${name}.bin`, new Uint8Array(words.buffer)],
      [`p2m-${name}.pt.txt`, bytesOf(`${kinds.join('\n')}\n`)],
      [`p2m-${name}.info`, bytesOf(`${info.join('\n')}\n`)],
    ]);
  }
}

export interface RacingProbes {
  readonly entries: ReadonlySet<string>;
  readonly returns: ReadonlySet<string>;
}

export const FUNCTIONS = [
  '__set_phys_to_machine',
  'set_phys_to_machine',
  'get_phys_to_machine',
  'xen_alloc_p2m_entry',
  'alloc_p2m_page',
  'set_foreign_p2m_mapping',
  'clear_foreign_p2m_mapping',
];

export const EVERY_PROBE: RacingProbes = { entries: new Set(FUNCTIONS), returns: new Set(FUNCTIONS) };

/** What tasks wrote whose turn it was by `turns`, and the list before and after. */
export interface Race {
  readonly lines: readonly RacingLine[];
  readonly before: FileSet;
  readonly after: FileSet;
}

/** Runs the tasks; at each turn one goes on to its next moment: a line, or an effect. */
export function race(
  list: RacedList,
  tasks: readonly RacingTask[],
  turns: (going: number) => number,
  probes: RacingProbes = EVERY_PROBE,
): Race {
  const before = list.dump('before');
  const lines: RacingLine[] = [];
  const going = tasks.map((task) => new Running(task, list, lines, probes).all());
  while (going.length > 0) {
    const turn = turns(going.length);
    if (going[turn]!.next().done === true) going.splice(turn, 1);
  }
  return { lines, before, after: list.dump('after') };
}

class Running {
  readonly #task: RacingTask;
  readonly #list: RacedList;
  readonly #lines: RacingLine[];
  readonly #probes: RacingProbes;

  constructor(task: RacingTask, list: RacedList, lines: RacingLine[], probes: RacingProbes) {
    this.#task = task;
    this.#list = list;
    this.#lines = lines;
    this.#probes = probes;
  }

  *all(): Generator<void, void, void> {
    for (const action of this.#task.actions) yield* this.#interrupted(action);
  }

  *#interrupted(action: Action): Generator<void, void, void> {
    const { interrupt } = action;
    let moments = 0;
    for (const moment of this.#action(action)) {
      yield moment;
      if (interrupt !== undefined && ++moments === interrupt.after) yield* this.#interrupted(interrupt.action);
    }
  }

  *#action(action: Operation): Generator<void, void, void> {
    if ('pfns' in action) yield* this.#grants(action);
    else if (action.op === 'get') yield* this.#get(action.pfn);
    else if (action.op === 'alloc') yield* this.#alloc(action.pfn, action.fails ?? false);
    else if (action.op === 'store') yield* this.#store(action.pfn, action.value);
    else {
      yield* this.#line('set_phys_to_machine', false, `pfn=${hex(action.pfn)} mfn=${hex(action.value)}`);
      const done = yield* this.#set(action.pfn, action.value, action.fails ?? false);
      yield* this.#line('set_phys_to_machine', true, `ret=${done ? 1 : 0}`);
    }
  }

  *#grants({ op, pfns, mfn }: Grants): Generator<void, void, void> {
    const name = op === 'map' ? 'set_foreign_p2m_mapping' : 'clear_foreign_p2m_mapping';
    yield* this.#line(name, false, `count=${pfns.length}`);
    let wrong = false;
    for (const [slot, pfn] of pfns.entries()) {
      // An inline look-up asks get_phys_to_machine only where it reads INVALID.
      const inline = this.#list.kindOf(pfn) === 'own' ? this.#list.get(pfn) : INVALID;
      const seen = inline === INVALID ? yield* this.#get(pfn) : inline;
      if (op === 'map') {
        if (seen !== INVALID) wrong = true;
        else yield* this.#set(pfn, FOREIGN | BigInt(mfn + slot), false);
      } else if ((seen & FOREIGN) === 0n || seen === INVALID) wrong = true;
      else yield* this.#set(pfn, INVALID, false);
    }
    yield* this.#line(name, true, `ret=${wrong ? -22 : 0}`);
  }

  *#set(pfn: number, value: bigint, fails: boolean): Generator<void, boolean, void> {
    if (yield* this.#store(pfn, value)) return true;
    if (!(yield* this.#alloc(pfn, fails))) return false;
    return yield* this.#store(pfn, value);
  }

  *#store(pfn: number, value: bigint): Generator<void, boolean, void> {
    yield* this.#line('__set_phys_to_machine', false, `pfn=${hex(pfn)} mfn=${hex(value)}`);
    const done = this.#list.store(pfn, value);
    yield;
    yield* this.#line('__set_phys_to_machine', true, `ret=${done ? 1 : 0}`);
    return done;
  }

  *#alloc(pfn: number, fails: boolean): Generator<void, boolean, void> {
    yield* this.#line('xen_alloc_p2m_entry', false, `pfn=${hex(pfn)}`);
    // A leaf that is private already needs no page, so there is none that can fail.
    const needed = this.#list.kindOf(pfn) !== 'own';
    if (fails && needed) yield* this.#page(0n);
    else {
      if (needed) yield* this.#page(FIRST_PAGE + BigInt(4096 * this.#lines.length));
      this.#list.alloc(pfn);
    }
    yield;
    fails &&= needed;
    yield* this.#line('xen_alloc_p2m_entry', true, `ret=${fails ? -12 : 0}`);
    return !fails;
  }

  /** An allocated page; 0 for none. */
  *#page(address: bigint): Generator<void, void, void> {
    yield* this.#line('alloc_p2m_page', false, '');
    yield* this.#line('alloc_p2m_page', true, `page=${hex(address)}`);
  }

  *#get(pfn: number): Generator<void, bigint, void> {
    yield* this.#line('get_phys_to_machine', false, `pfn=${hex(pfn)}`);
    const seen = this.#list.get(pfn);
    yield;
    yield* this.#line('get_phys_to_machine', true, `mfn=${hex(seen)}`);
    return seen;
  }

  *#line(event: string, isReturn: boolean, args: string): Generator<void, void, void> {
    if (!(isReturn ? this.#probes.returns : this.#probes.entries).has(event)) return;
    this.#lines.push({ task: this.#task, event, isReturn, args });
    yield;
  }
}

/** Text of a log: line n of `lines` is line n + 4 of the file. */
export function logText(lines: readonly RacingLine[]): string {
  const n = lines.length;
  const header = ['# tracer: nop', '#', `# entries-in-buffer/entries-written: ${n}/${n}   #P:4`, '#'];
  return `${[...header, ...lines.map(textOf)].join('\n')}\n`;
}

/** Lines before the first event. */
export const HEADER_LINES = 4;

function textOf({ task, event, isReturn, args }: RacingLine, n: number): string {
  const head = `${`${task.comm}-${task.pid}`.padStart(23)} [${String(task.cpu).padStart(3, '0')}] ..... `;
  const place = isReturn ? `caller+0x14/0x40 <- ${event}` : `${event}+0x0/0x40`;
  const time = ((n + 1) / 1000).toFixed(6).padStart(12);
  return `${head}${time}: ${event}${isReturn ? '_ret' : ''}: (${place}) ${args}`;
}

/** The recording folder of a race. */
export function recordingOf({ before, after }: Race, lines: readonly RacingLine[], ends: Ends = {}): FileSet {
  const { from = 'before', to = 'after' } = ends;
  return new Map([
    ...before,
    ...after,
    ['replay.json', bytesOf(JSON.stringify({ kernel: '6.1', steps: [{ from, log: 'trace.txt', to }] }))],
    ['trace.txt', bytesOf(logText(lines))],
  ]);
}

export interface Ends {
  readonly from?: 'before' | null;
  readonly to?: 'after' | null;
}

function hex(n: number | bigint): string {
  return `0x${n.toString(16)}`;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
