import { KINDS, Operation, Result, type EventBatch } from '../../events/index.js';

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const TASK = KINDS.task.id;
const ORIGIN = KINDS.origin.id;
/** No operation: the boot by a dump. */
const NO_OP = 0;

/** Boot and resume: nothing runs beside them, and what they leave in the middle is nobody's to judge. */
const ALONE = new Set<number>([
  Operation.xen_build_dynamic_phys_to_machine,
  Operation.set_phys_range_identity,
  Operation.xen_vmalloc_p2m_tree,
  Operation.xen_rebuild_p2m_list,
  Operation.xen_inv_extra_mem,
  Operation.xen_pagetable_p2m_setup,
  Operation.xen_pagetable_p2m_free,
  Operation.xen_build_mfn_list_list,
  Operation.xen_setup_mfn_list_list,
  Operation.xen_arch_pre_suspend,
  Operation.xen_arch_post_suspend,
  Operation.setup,
]);

/** Whether an operation (`Operation`) is of boot or resume: it runs alone. */
export function runsAlone(operation: number): boolean {
  return ALONE.has(operation);
}

/** They change nothing. */
const READERS = new Set<number>([
  Operation.__pfn_to_mfn,
  Operation.pfn_to_mfn,
  Operation.get_phys_to_machine,
  Operation.mfn_to_pfn,
  Operation.read_mfn_tree,
  Operation.read_p2m_cr3,
]);

/** They act on the pfn of their call alone; of the others, any pfn may be in the middle. */
const OF_ONE_PFN = new Set<number>([
  Operation.__set_phys_to_machine,
  Operation.set_phys_to_machine,
  Operation.xen_alloc_p2m_entry,
  Operation.alloc_p2m_pmd,
]);

/** An operation in the middle that may change the list. */
export interface OpenOperation {
  readonly op: number;
  readonly cpu: number;
  /** Number of the operation; `Operation.none` where the log has no call of it. */
  readonly operation: number;
  /** The one pfn it acts on; undefined where it is not one. */
  readonly pfn: number | undefined;
}

/**
 * The operations in the middle at a moment, told event by event. One that a log begins without a `call` (a writer that was
 * asked for changes alone) lasts until its CPU does something else.
 */
export class OpenOperations {
  readonly #open = new Map<number, OpenOperation>();
  /** Boot and resume, by number. */
  readonly #alone = new Set<number>();
  /** By CPU: the operation without a call that is in its hand. */
  readonly #uncalled = new Map<number, number>();

  /** Operations in the middle. */
  get open(): Iterable<OpenOperation> {
    return this.#open.values();
  }

  get count(): number {
    return this.#open.size;
  }

  /** The operation of that number, while it is in the middle. */
  of(op: number): OpenOperation | undefined {
    return this.#open.get(op);
  }

  /** Whether what event `i` belongs to, or calls, runs alone: no operation, boot, resume. */
  isAlone(batch: EventBatch, i: number): boolean {
    const op = batch.op[i]!;
    return op === NO_OP || this.#alone.has(op) || (batch.kind[i] === CALL && ALONE.has(batch.a[i]!));
  }

  /** Whether nothing in the middle may still change what is said of pfns [pfnStart, pfnEnd). */
  isQuiet(pfnStart: number, pfnEnd: number): boolean {
    for (const { pfn } of this.#open.values()) {
      if (pfn === undefined || (pfn >= pfnStart && pfn < pfnEnd)) return false;
    }
    return true;
  }

  /** Takes note of event `i`. Returns the operation that it ends; undefined where it ends none. */
  note(batch: EventBatch, i: number): OpenOperation | undefined {
    const op = batch.op[i]!;
    const cpu = batch.cpu[i]!;
    const kind = batch.kind[i]!;
    if (kind === CALL) this.#call(batch, i);
    else if (kind === RETURN) {
      this.#alone.delete(op);
      // A CPU that an assertion or a fault has stopped stays in the middle for good.
      return batch.b[i] === Result.bug || batch.b[i] === Result.fault ? undefined : this.#end(op);
    } else if (kind === TASK || kind === ORIGIN) {
      // They stand before the call of their operation, and are no act of it.
      return undefined;
    } else if (op !== NO_OP && !this.#alone.has(op) && !this.#open.has(op)) {
      const before = this.#uncalled.get(cpu);
      this.#open.set(op, { op, cpu, operation: Operation.none, pfn: undefined });
      this.#uncalled.set(cpu, op);
      return before === undefined ? undefined : this.#end(before);
    }
    return undefined;
  }

  #call(batch: EventBatch, i: number): void {
    const op = batch.op[i]!;
    const operation = batch.a[i]!;
    if (READERS.has(operation)) return;
    if (ALONE.has(operation)) {
      this.#alone.add(op);
      return;
    }
    const pfn = batch.c[i]! * 2 ** 32 + (batch.b[i]! >>> 0);
    this.#open.set(op, { op, cpu: batch.cpu[i]!, operation, pfn: OF_ONE_PFN.has(operation) ? pfn : undefined });
  }

  #end(op: number): OpenOperation | undefined {
    const ended = this.#open.get(op);
    this.#open.delete(op);
    return ended;
  }
}
