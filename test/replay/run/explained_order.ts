import { identityOf, INVALID, PER_PAGE, type Kind, type RacingLine } from './racing_log.js';

/**
 * Whether any order of effects explains a log with probes on all functions: a plain search (Wing and Gong), leaf by leaf,
 * over a list of its own. What a replay says of the same log can be judged by it.
 */

/** A call of the log, or a call inside one. */
interface LoggedCall {
  readonly event: string;
  readonly pfn: number;
  readonly value: bigint;
  readonly entry: number;
  /** Index of the return line; Infinity where the log has none. */
  end: number;
  /** What the return line says; undefined where there is none, or where it is not believed. */
  recorded: bigint | undefined;
  readonly parts: LoggedCall[];
  /** An allocation that was given no page. */
  failed: boolean;
}

/** What a leaf held before the log: its kind and words; or nothing known. */
export type KnownBefore = { readonly kindOf: (pfn: number) => Kind; readonly wordOf: (pfn: number) => bigint } | null;

/**
 * @param disbelieved indices of return lines whose values are not asked for
 * @param bounds      of a call inside another: its own two lines, or those of the call around it
 */
export function isExplained(
  lines: readonly RacingLine[],
  before: KnownBefore,
  disbelieved: ReadonlySet<number> = new Set(),
  bounds: 'inner' | 'outer' = 'inner',
): boolean {
  const leaves = new Map<number, LoggedCall[]>();
  for (const call of callsOf(lines, disbelieved)) {
    const leaf = Math.floor(call.pfn / PER_PAGE);
    leaves.set(leaf, [...(leaves.get(leaf) ?? []), call]);
  }
  return [...leaves.values()].every((calls) => {
    const kinds: readonly Kind[] = before === null ? ['own', 'missing', 'identity'] : [before.kindOf(calls[0]!.pfn)];
    return kinds.some((kind) => new LeafSearch(calls, kind, before, bounds).found());
  });
}

function callsOf(lines: readonly RacingLine[], disbelieved: ReadonlySet<number>): LoggedCall[] {
  const outermost: LoggedCall[] = [];
  const open = new Map<unknown, LoggedCall[]>();
  for (const [i, { task, event, isReturn, args }] of lines.entries()) {
    const stack = open.get(task) ?? [];
    open.set(task, stack);
    const numberOf = (name: string): bigint => {
      const text = new RegExp(`\\b${name}=(-?)(\\w+)`).exec(args);
      return text === null ? 0n : text[1] === '-' ? -BigInt(text[2]!) : BigInt(text[2]!);
    };
    if (isReturn) {
      const call = stack.pop()!;
      call.end = i;
      if (event === 'alloc_p2m_page') stack.at(-1)!.failed ||= numberOf('page') === 0n;
      else if (!disbelieved.has(i)) call.recorded = numberOf(event === 'get_phys_to_machine' ? 'mfn' : 'ret');
      continue;
    }
    const call: LoggedCall = {
      event,
      pfn: Number(numberOf('pfn')),
      value: numberOf('mfn'),
      entry: i,
      end: Infinity,
      recorded: undefined,
      parts: [],
      failed: false,
    };
    const outer = stack.at(-1);
    if (event !== 'alloc_p2m_page') (outer?.parts ?? outermost).push(call);
    stack.push(call);
  }
  return outermost;
}

const UNKNOWN = -1n;

/** The effects of a call in the order they come: its parts, or itself. */
class LeafSearch {
  readonly #chains: readonly LoggedCall[][];
  readonly #calls: readonly LoggedCall[];
  readonly #before: KnownBefore;
  readonly #kind: Kind;
  readonly #seen = new Set<string>();

  constructor(calls: readonly LoggedCall[], kind: Kind, before: KnownBefore, bounds: 'inner' | 'outer') {
    this.#calls = calls;
    const within = ({ entry, end, parts }: LoggedCall): LoggedCall[] =>
      bounds === 'inner' ? parts : parts.map((part) => ({ ...part, entry, end }));
    this.#chains = calls.map((call) => (call.event === 'set_phys_to_machine' ? within(call) : [call]));
    this.#kind = kind;
    this.#before = before;
  }

  found(): boolean {
    return this.#go(
      this.#chains.map(() => 0),
      this.#kind,
      new Map(),
    );
  }

  #go(at: readonly number[], kind: Kind, words: ReadonlyMap<number, bigint>): boolean {
    if (at.every((n, c) => n === this.#chains[c]!.length)) return true;
    const key = `${at.join()} ${kind} ${[...words].sort(([a], [b]) => a - b).join(' ')}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return this.#chains.some((chain, c) => {
      const next = chain[at[c]!];
      if (next === undefined) return false;
      const earlier = this.#chains.some((other, o) => o !== c && (other[at[o]!]?.end ?? Infinity) < next.entry);
      if (earlier) return false;
      return this.#effect(c, at[c]!, kind, words).some(([k, w]) => this.#go(at.with(c, at[c]! + 1), k, w));
    });
  }

  /** What the leaf can be after the n-th effect of a chain; nothing, where that contradicts the log. */
  #effect(c: number, n: number, kind: Kind, words: ReadonlyMap<number, bigint>): [Kind, ReadonlyMap<number, bigint>][] {
    const chain = this.#chains[c]!;
    const { event, pfn, value, recorded, failed } = chain[n]!;
    const whole = this.#calls[c]!;
    // A call that the log leaves open may have gone on.
    const isLast = n === chain.length - 1;
    const isOpen = isLast && whole.end === Infinity;
    if (event === 'get_phys_to_machine') {
      const seen = this.#look(kind, words, pfn);
      if (recorded === undefined || seen === recorded) return [[kind, words]];
      return seen === UNKNOWN ? [[kind, new Map(words).set(pfn, recorded)]] : [];
    }
    if (event === 'xen_alloc_p2m_entry') {
      if (failed && kind === 'own') return [];
      if (recorded !== undefined && (recorded === 0n) === failed) return [];
      if (whole.event === 'set_phys_to_machine') {
        if (!isOpen && failed !== isLast) return [];
        if (failed && whole.recorded === 1n) return [];
      }
      return failed || kind === 'own' ? [[kind, words]] : [['own', this.#fill(kind, pfn)]];
    }
    const shared = kind !== 'own';
    const ok = !shared || value === this.#look(kind, words, pfn);
    if (recorded !== undefined && (recorded === 1n) !== ok) return [];
    if (whole.event === 'set_phys_to_machine') {
      if (!isOpen && (ok || n > 0) !== isLast) return [];
      if (isLast && whole.recorded !== undefined && (whole.recorded === 1n) !== ok) return [];
    }
    return [[kind, !shared && ok ? new Map(words).set(pfn, value) : words]];
  }

  #look(kind: Kind, words: ReadonlyMap<number, bigint>, pfn: number): bigint {
    if (kind === 'missing') return INVALID;
    if (kind === 'identity') return identityOf(pfn);
    return words.get(pfn) ?? this.#before?.wordOf(pfn) ?? UNKNOWN;
  }

  #fill(kind: Kind, pfn: number): ReadonlyMap<number, bigint> {
    const words = new Map<number, bigint>();
    const start = Math.floor(pfn / PER_PAGE) * PER_PAGE;
    for (const call of this.#calls) {
      const p = call.pfn;
      if (p >= start && p < start + PER_PAGE) words.set(p, kind === 'missing' ? INVALID : identityOf(p));
    }
    return words;
  }
}
