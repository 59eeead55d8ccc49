import { INVALID, mfnWord, usageError, type EntryCodec, type OperationName, type Word } from '../events/index.js';
import type { Behalf } from './behalf.js';
import type { PfnRange } from './boot_sequence.js';
import type { Domain } from './domain.js';
import type { Outcome } from './outcome.js';
import { lookUp } from './look_up.js';
import type { Machines } from './machines.js';
import { Grant, GRANTS_MAX } from './memory/layout.js';
import { kernelOps } from './p2m/kernel_ops.js';

/**
 * An entry as a user gives it: text as `EntryCodec.parse` reads it (`m:77`, `m:0x4d`, `i:N`, `f:N`, `fi:N`, `~`), a raw entry
 * in hexadecimal (`0x40000000000fed00`), or a word that `mfnWord` or a look-up gave, where it is INVALID or short.
 */
export type EntryValue = string | Word;

/** One page of a grant operation. */
export interface GrantSlot {
  /** Below 2^30. */
  readonly pfn: number;
  /** The granted frame, below 2^30. */
  readonly mfn: number;
  /** What the hypercall answered for it; default 0, success. */
  readonly status?: number;
  /** The same of the kernel's own mapping. */
  readonly kernelStatus?: number;
}

interface OfPfn {
  /** 0 <= pfn < geometry.pfnEnd. */
  readonly pfn: number;
}

interface OfEntry extends OfPfn {
  readonly value: EntryValue;
}

/** The arguments of each operation that can be asked for by name: its kernel name, but for `look_up`. */
export interface CommandArguments {
  readonly set_phys_to_machine: OfEntry;
  /** Never allocates. */
  readonly __set_phys_to_machine: OfEntry;
  readonly xen_alloc_p2m_entry: OfPfn;
  readonly __pfn_to_mfn: OfPfn;
  readonly pfn_to_mfn: OfPfn;
  readonly get_phys_to_machine: OfPfn;
  /** Needs an m2p (`DomainOptions.m2pFrames`). mfn below 2^30. */
  readonly mfn_to_pfn: { readonly mfn: number };
  /** For the boot: on a list that is up it faults where a leaf is shared. */
  readonly set_phys_range_identity: PfnRange;
  /** The balloon gives the frames of the range back. */
  readonly decrease_reservation: PfnRange;
  /** The balloon gets frames: `value`, an mfn, and those that follow it. */
  readonly increase_reservation: PfnRange & { readonly value: EntryValue };
  /** Grants are mapped; `kernel`: with kernel mappings. At most 4096 slots. */
  readonly set_foreign_p2m_mapping: { readonly slots: readonly GrantSlot[]; readonly kernel?: boolean };
  /** They are unmapped. */
  readonly clear_foreign_p2m_mapping: { readonly pfns: readonly number[]; readonly kernel?: boolean };
  readonly xen_arch_pre_suspend: unknown;
  readonly xen_arch_post_suspend: unknown;
  /** No kernel function runs: what a look-up answers is logged, as a `look_up` event. */
  readonly look_up: OfPfn;
}

/** Names of the operations that can be asked for. */
export type CommandName = keyof CommandArguments;

/** An operation that a caller asks for, by name, with its arguments. */
export type Command = {
  [K in CommandName]: {
    readonly operation: K;
    /** The CPU that runs it, below `DomainOptions.cpus`; default 0. */
    readonly cpu?: number;
  } & CommandArguments[K];
}[CommandName];

/** A command whose arguments are in order: running it, on somebody's behalf, gives its outcome. */
export type CheckedCommand = (behalf: Behalf) => Outcome;

/** Pfns and frames that a word or a column holds are below this. */
const SHORT_END = 2 ** 30;
/** Commands come from no line of an input. */
const NO_LINE = 0;

const MACHINE_OF = {
  set_phys_to_machine: 'setPhysToMachine',
  __set_phys_to_machine: 'setPhysToMachineNoAlloc',
  xen_alloc_p2m_entry: 'allocP2m',
  __pfn_to_mfn: 'pfnToMfnRaw',
  pfn_to_mfn: 'pfnToMfn',
  get_phys_to_machine: 'getPhysToMachine',
  mfn_to_pfn: 'mfnToPfn',
  set_phys_range_identity: 'setPhysRangeIdentity',
  decrease_reservation: 'decreaseReservation',
  increase_reservation: 'increaseReservation',
  set_foreign_p2m_mapping: 'setForeignP2mMapping',
  clear_foreign_p2m_mapping: 'clearForeignP2mMapping',
  xen_arch_pre_suspend: 'xenArchPreSuspend',
  xen_arch_post_suspend: 'xenArchPostSuspend',
} as const satisfies Record<Exclude<CommandName, 'look_up'> & OperationName, keyof Machines>;

/**
 * Checks a command, and gives what runs it: so a batch with a bad command runs nothing of it.
 * @throws {P2mError} code `usage`, that names the operation, the argument, got and expected
 */
export function checkCommand(domain: Domain, command: Command): CheckedCommand {
  const { operation } = command;
  const { codec } = domain.memory;
  const cpu = whole(command.cpu ?? 0, domain.cpus.length, `cpu of ${operation}`);
  const run =
    (pfn: number, value: Word = INVALID, count = 0): CheckedCommand =>
    (behalf) =>
      domain.run(
        operation as keyof typeof MACHINE_OF,
        domain.machines[MACHINE_OF[operation as keyof typeof MACHINE_OF]],
        pfn,
        value,
        count,
        cpu,
        NO_LINE,
        behalf,
      );
  const pfnOf = (pfn: number): number => whole(pfn, domain.geometry.pfnEnd, `pfn of ${operation}`);
  switch (operation) {
    case 'set_phys_to_machine':
    case '__set_phys_to_machine':
      return run(pfnOf(command.pfn), wordOf(codec, command.value, operation));
    case 'xen_alloc_p2m_entry':
    case '__pfn_to_mfn':
    case 'pfn_to_mfn':
    case 'get_phys_to_machine':
      return run(pfnOf(command.pfn));
    case 'mfn_to_pfn':
      return run(whole(command.mfn, SHORT_END, `mfn of ${operation}`));
    case 'set_phys_range_identity': {
      const [start, end] = rangeOf(command, domain.geometry.pfnEnd);
      return run(start, INVALID, end);
    }
    case 'decrease_reservation': {
      const [start, end] = rangeOf(command, SHORT_END);
      return run(start, INVALID, end - start);
    }
    case 'increase_reservation': {
      const [start, end] = rangeOf(command, SHORT_END);
      return run(start, wordOf(codec, command.value, operation), end - start);
    }
    case 'set_foreign_p2m_mapping': {
      const slots = command.slots.map((slot) => checkSlot(slot, operation));
      const map = run(0, command.kernel === true ? kernelOps() : INVALID, countOf(slots, operation));
      return (behalf) => {
        slots.forEach((slot, i) => slot.forEach(([field, value]) => domain.setGrant(i, field, value)));
        return map(behalf);
      };
    }
    case 'clear_foreign_p2m_mapping': {
      const pfns = command.pfns.map((pfn) => whole(pfn, SHORT_END, `pfn of ${operation}`));
      const unmap = run(0, command.kernel === true ? kernelOps() : INVALID, countOf(pfns, operation));
      return (behalf) => {
        pfns.forEach((pfn, i) => domain.setGrant(i, Grant.pfn, pfn));
        return unmap(behalf);
      };
    }
    case 'xen_arch_pre_suspend':
    case 'xen_arch_post_suspend':
      return run(0);
    case 'look_up': {
      const pfn = pfnOf(command.pfn);
      return (behalf) => loggedLookUp(domain, pfn, cpu, behalf);
    }
    default:
      throw usageError('unknown operation', {
        got: JSON.stringify((command as { readonly operation: unknown }).operation),
        expected: [...Object.keys(MACHINE_OF), 'look_up'].join(', '),
      });
  }
}

/** The word of an entry as a user gives it. @throws {P2mError} code `usage` */
export function wordOf(codec: EntryCodec, value: EntryValue, of: string): Word {
  if (typeof value === 'string') return value.startsWith('0x') ? codec.fromHex(value) : codec.parse(value);
  // A number that is no short word is more likely an mfn than a handle of this very codec.
  if (value === INVALID || ((value | 0) === value && value >>> 30 !== 0)) return value;
  throw usageError(`bad value of ${of}`, {
    got: String(value),
    expected: `text such as "m:77" or "0x4d", or a word: mfnWord(77), ${mfnWord(77)}`,
  });
}

/** What a look-up sees, logged. It is an act of no operation. */
function loggedLookUp(domain: Domain, pfn: number, cpu: number, behalf: Behalf): Outcome {
  const word = lookUp(domain.memory, pfn);
  domain.sawEntry(pfn, word, cpu, behalf);
  return { kind: 'word', value: word };
}

function checkSlot(slot: GrantSlot, operation: string): readonly (readonly [field: number, value: number])[] {
  return [
    [Grant.pfn, whole(slot.pfn, SHORT_END, `pfn of ${operation}`)],
    [Grant.mfn, whole(slot.mfn, SHORT_END, `mfn of ${operation}`)],
    [Grant.status, status(slot.status ?? 0, operation)],
    [Grant.kernelStatus, status(slot.kernelStatus ?? 0, operation)],
  ];
}

function countOf(slots: readonly unknown[], operation: string): number {
  if (slots.length > 0 && slots.length <= GRANTS_MAX) return slots.length;
  throw usageError(`bad number of slots of ${operation}`, {
    got: String(slots.length),
    expected: `1 to ${GRANTS_MAX}`,
  });
}

function rangeOf(command: PfnRange & { readonly operation: string }, end: number): [start: number, end: number] {
  const { operation, pfnStart, pfnEnd } = command;
  const stop = whole(pfnEnd, end + 1, `pfnEnd of ${operation}`);
  return [whole(pfnStart, stop, `pfnStart of ${operation}`), stop];
}

function status(value: number, operation: string): number {
  if (Number.isInteger(value) && value >= -0x8000 && value < 0x8000) return value;
  throw usageError(`bad status of ${operation}`, {
    got: String(value),
    expected: 'a whole number of 16 bits, 0 for success',
  });
}

function whole(value: number, end: number, what: string): number {
  if (Number.isInteger(value) && value >= 0 && value < end) return value;
  throw usageError(`bad ${what}`, { got: String(value), expected: `a whole number below ${end}` });
}
