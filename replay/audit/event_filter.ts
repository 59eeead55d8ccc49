import {
  KINDS,
  Operation,
  OPERATIONS,
  usageError,
  type EventBatch,
  type KindName,
  type OperationName,
} from '../../events/index.js';
import type { LogFacts } from './index/log_facts.js';
import { taskText, type LoggedOperation } from './logged_operation.js';
import type { MfnConcern } from './mfn_concern.js';
import type { PfnConcern } from './pfn_concern.js';

const RETURN = KINDS.return.id;

/** Kinds of events and operations, as numbers: an event is of them if its kind is, or its operation. */
export interface KindsAndOperations {
  readonly kinds: ReadonlySet<number>;
  readonly operations: ReadonlySet<number>;
}

/** What events are asked for; what is absent lets all pass. */
export interface EventQuestion {
  readonly pfns?: PfnConcern;
  readonly mfn?: MfnConcern;
  readonly cpus?: ReadonlySet<number>;
  /** A comm, a pid, or both as `comm-pid`. */
  readonly task?: string;
  readonly of?: KindsAndOperations;
}

/** Reads a comma list of kinds of events and names of operations. @throws {P2mError} code `usage`: a name is neither */
export function parseKinds(text: string): KindsAndOperations {
  const kinds = new Set<number>();
  const operations = new Set<number>();
  for (const name of text.split(',')) {
    const operation = OPERATIONS.indexOf(name as OperationName);
    if (Object.hasOwn(KINDS, name)) kinds.add(KINDS[name as KindName].id);
    else if (operation > Operation.none) operations.add(operation);
    else {
      const expected = 'a kind of event (set_entry, set_pte, lock ...) or an operation (set_phys_to_machine ...)';
      throw usageError('unknown kind', { got: JSON.stringify(name), expected });
    }
  }
  return { kinds, operations };
}

/** Whether events pass all that is asked, by their columns: nothing is built for one that does not. */
export class EventFilter {
  readonly #pfns: PfnConcern | undefined;
  readonly #mfn: MfnConcern | undefined;
  readonly #task: string | undefined;
  readonly #cpus: Uint8Array;
  readonly #kinds: Uint8Array;
  readonly #operations: ReadonlySet<number>;
  readonly #of: KindsAndOperations | undefined;
  /** The operation asked about last, whether its task passes, and whether it is of those named. */
  #last: LoggedOperation | undefined;
  #lastTask = false;
  #lastNamed = false;

  constructor({ pfns, mfn, cpus, task, of }: EventQuestion) {
    this.#pfns = pfns;
    this.#mfn = mfn;
    this.#task = task;
    this.#cpus = table((cpu) => cpus?.has(cpu) ?? true);
    this.#kinds = table((kind) => of?.kinds.has(kind) ?? true);
    this.#of = of;
    this.#operations = of?.operations ?? new Set();
    this.#judge(undefined);
  }

  /** Whether event `i`, of that operation, passes. A `return` concerns the pfn that its call does. */
  passes(batch: EventBatch, i: number, operation: LoggedOperation | undefined): boolean {
    if (operation !== this.#last) this.#judge(operation);
    if (!this.#lastTask || this.#cpus[batch.cpu[i]!] === 0) return false;
    if (this.#kinds[batch.kind[i]!] === 0 && !this.#lastNamed) return false;
    if (this.#mfn?.has(batch, i) === false) return false;
    return this.#pfns === undefined || this.#concerns(this.#pfns, batch, i, operation);
  }

  /** Whether any event of a block that the index knows of may pass. */
  mayPass(facts: LogFacts, block: number): boolean {
    const { kinds, operations, tasks } = facts.content(block);
    if (this.#task !== undefined && !tasks.mayHaveName(this.#task)) return false;
    const of = this.#of;
    return (
      of === undefined ||
      [...of.kinds].some((id) => kinds.mayHave(id)) ||
      [...of.operations].some((id) => operations.mayHave(id))
    );
  }

  #concerns(pfns: PfnConcern, batch: EventBatch, i: number, operation: LoggedOperation | undefined): boolean {
    if (batch.kind[i] !== RETURN) return pfns.has(batch, i);
    const pfn = operation?.call?.pfn;
    return pfn !== undefined && pfn >= pfns.pfnStart && pfn < pfns.pfnEnd;
  }

  #judge(operation: LoggedOperation | undefined): void {
    const task = operation?.task;
    this.#last = operation;
    this.#lastTask =
      this.#task === undefined ||
      (task !== undefined && [task.comm, String(task.pid), taskText(task)].includes(this.#task));
    this.#lastNamed = operation?.call !== undefined && this.#operations.has(operation.call.operation);
  }
}

function table(passes: (index: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, index) => (passes(index) ? 1 : 0));
}
