import {
  FAULT,
  fieldsOf,
  INVALID,
  kindAt,
  KINDS,
  NAMES,
  Operation,
  Pattern,
  Result,
  Role,
  ROLES,
  viewField,
  type EntryCodec,
  type EventBatch,
} from '../../events/index.js';
import { NO_PTE, ptePage, pteWritable } from '../../src/index.js';
import { callArguments, type CallArgument } from './call_arguments.js';

const SHARED: Readonly<Record<number, string>> = {
  [Role.missing]: 'p2m_missing',
  [Role.identity]: 'p2m_identity',
  [Role.missing_pte]: 'p2m_missing_pte',
  [Role.identity_pte]: 'p2m_identity_pte',
  [Role.mid_missing]: 'p2m_mid_missing_mfn',
  [Role.tree_mid_missing]: 'p2m_mid_missing',
  [Role.tree_mid_identity]: 'p2m_mid_identity',
};
const PRIVATE: Readonly<Record<number, string>> = {
  [Role.leaf]: 'private leaf',
  [Role.init]: "builder's leaf",
  [Role.pte]: 'private PT page',
  [Role.mid]: 'private mid page',
  [Role.tree_mid]: 'private mid page',
};
/** By number, those that the operations answer. */
const ERRNOS: Readonly<Record<number, string>> = { 12: '-ENOMEM', 22: '-EINVAL' };
const TWO_32 = 2 ** 32;
/** Runs of a payload that are told; `p2m show --json` has all. */
const RUNS_TOLD = 4;

/** Tells events in the words of the field: `0x402 m:10 -> m:77 in private leaf 31`. */
export class EventWords {
  readonly #codec: EntryCodec;
  readonly #roleOf: (page: number) => number;

  /** @param roleOf what a page was given out for, `Role.none` where nobody knows */
  constructor(codec: EntryCodec, roleOf: (page: number) => number) {
    this.#codec = codec;
    this.#roleOf = roleOf;
  }

  /** Event `i` without its kind. @throws {P2mError} as `viewEvent` */
  of(batch: EventBatch, i: number): string {
    const [a, b, c, d, e] = [batch.a[i]!, batch.b[i]!, batch.c[i]!, batch.d[i]!, batch.e[i]!];
    switch (batch.kind[i]) {
      case KINDS.set_entry.id:
        return `${hex(a)} ${this.entry(c)} -> ${this.entry(d)} in ${this.page(b)}`;
      case KINDS.set_pte.id:
        return `${hex(a)} ${this.pte(c)} -> ${this.pte(d)} in ${this.page(b)}`;
      case KINDS.set_pmd.id:
        return `${hex(a)} ${this.pte(b)} -> ${this.pte(c)}`;
      case KINDS.populate_pmd.id:
        return `${hex(a)} none -> ${this.page(b)}`;
      case KINDS.identity_range.id:
        return `${hex(a)}-${hex(b)} ${this.runs(batch.payloadAt(c))} -> i:${a}..`;
      case KINDS.boot.id:
        return `0x0-${hex(a)} = ${this.runs(batch.payloadAt(b))}`;
      case KINDS.load_entries.id:
        return `${hex(a)} = ${this.runs(batch.payloadAt(b))}`;
      case KINDS.wipe_page.id:
        return `${this.page(a)} ${this.runs(batch.payloadAt(b))} -> ~`;
      case KINDS.alloc_page.id:
        return `${a} ${ROLES[b] ?? b}`;
      case KINDS.free_page.id:
        return `${a} ${ROLES[b] ?? b}`;
      case KINDS.fill_page.id:
        return `${this.page(a)} = ${this.#pattern(b, c)}`;
      case KINDS.set_mid_mfn.id:
        return `[${b}] ${this.page(c)} -> ${this.page(d)} in ${this.page(a)}`;
      case KINDS.set_top_mfn.id:
      case KINDS.set_top.id:
        return `[${a}] ${this.page(c)} -> ${this.page(d)}${this.#lost(b, c)}`;
      case KINDS.set_top_mfn_p.id:
        return `[${a}] ${this.page(b)} -> ${this.page(c)}`;
      case KINDS.set_mid.id:
        return `[${b}] ${this.page(d)} -> ${this.page(e)} in ${this.page(a)}${this.#lost(c, d)}`;
      case KINDS.set_global.id:
        return `${NAMES.global[a] ?? a} ${b} -> ${c}`;
      case KINDS.set_max_pfn.id:
      case KINDS.set_generation.id:
        return `${a === 1 ? 'shared_info' : 'dummy'} ${b} -> ${c}`;
      case KINDS.call.id:
        return this.call(a, c * TWO_32 + (b >>> 0), d);
      case KINDS.return.id:
        return this.#returned(batch, i);
      case KINDS.look_up.id:
        return `${hex(b * TWO_32 + (a >>> 0))} = ${this.entry(c)}`;
      case KINDS.bug.id:
        return `${NAMES.bug[a] ?? a} at ${hex(c * TWO_32 + (b >>> 0))}`;
      case KINDS.warn.id:
        return `${NAMES.warning[a] ?? a} at ${hex(c * TWO_32 + (b >>> 0))}`;
      case KINDS.fault.id:
        return `${NAMES.access[a] ?? a} of ${hex(c * TWO_32 + (b >>> 0))}`;
      default:
        return this.#fields(batch, i);
    }
  }

  /** An operation with the arguments that it takes: `set_phys_to_machine(0x402, m:77)`. */
  call(operation: number, pfn: number, value: number): string {
    const name = NAMES.operation[operation] ?? String(operation);
    const words: Readonly<Record<CallArgument, string>> = {
      pfn: hex(pfn),
      mfn: hex(pfn),
      from: `${hex(pfn)}...`,
      value: this.entry(value),
      kernel: value === INVALID ? '' : 'kernel mappings',
    };
    const told = callArguments(operation).map((argument) => words[argument]);
    return `${name}(${told.join(', ')})`;
  }

  /** An entry: `m:77`, `i:4`, `f:9`, `~`, or `fault`. */
  entry(word: number): string {
    return word === FAULT ? 'fault' : this.#codec.format(word);
  }

  /** A page by its kernel name, or by what it is and its number. */
  page(page: number): string {
    if (page === 0) return 'none';
    const role = this.#roleOf(page);
    return SHARED[role] === undefined ? `${PRIVATE[role] ?? 'page'} ${page}` : `shared ${SHARED[role]}`;
  }

  /** What a PTE or PMD leads to. */
  pte(pte: number): string {
    if (pte === NO_PTE) return 'none';
    return `${this.page(ptePage(pte))}${pteWritable(pte) ? '' : ' (read-only)'}`;
  }

  /** Runs `[count, word, stride]` of entries. */
  runs(runs: Int32Array): string {
    const told: string[] = [];
    for (let r = 0; r < runs.length && told.length < RUNS_TOLD; r += 3) {
      const [count, word, stride] = [runs[r]!, runs[r + 1]!, runs[r + 2]!];
      told.push(`${this.entry(word)}${stride === 0 ? '' : '..'}${count === 1 ? '' : ` (${count})`}`);
    }
    const more = runs.length / 3 - told.length;
    return `${told.join(', ')}${more > 0 ? `, ${more} more runs` : ''}`;
  }

  #lost(expected: number, found: number): string {
    return expected === found ? '' : ` LOST: expected ${this.page(expected)}`;
  }

  #pattern(pattern: number, value: number): string {
    switch (pattern) {
      case Pattern.invalid:
        return '~';
      case Pattern.identity:
        return `i:${value}..`;
      case Pattern.pte:
        return this.pte(value);
      case Pattern.copy:
        return `copy of ${this.page(value)}`;
      default:
        return this.page(value);
    }
  }

  /** `-> true`, `-> m:77`, `-> -ENOMEM`; nothing where nothing comes back. */
  #returned(batch: EventBatch, i: number): string {
    const [operation, result, value] = [batch.a[i]!, batch.b[i]!, batch.c[i]!];
    switch (result) {
      case Result.void:
        return '';
      case Result.bool:
        return value === 0 ? '-> false' : '-> true';
      case Result.word:
        return `-> ${this.entry(value)}`;
      case Result.errno:
        return `-> ${ERRNOS[-value] ?? value}`;
      case Result.count:
        return `-> ${operation === Operation.mfn_to_pfn && value >= 0 ? hex(value) : value}`;
      default:
        return `-> ${NAMES.result[result] ?? result}`;
    }
  }

  #fields(batch: EventBatch, i: number): string {
    const fields = fieldsOf(kindAt(batch, i));
    return fields.map((field) => `${field.name}=${String(viewField(batch, i, field, this.#codec))}`).join(' ');
  }
}

function hex(n: number): string {
  return `0x${n.toString(16)}`;
}
