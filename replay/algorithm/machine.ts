import { usageError } from '../../events/index.js';
import type { RowPort } from './row_port.js';

/** Where a row leads when its machine has ended. */
export const DONE = -1;

/** A row: its label, what it does in a word or two, and the address of the lock that it takes, if it takes one. */
export type RowText = readonly [label: string, does: string, lock?: number];

/** The locals of an agent by their names, 32-bit integers, and the row that it is at. */
export type Registers<L extends string> = { readonly pc: number } & Record<L, number>;

/** What `machine` is given. */
export interface MachineText<L extends string> {
  /** What the function is called. */
  readonly name: string;
  /** Names of its locals. All are 0 at the start but the arguments that an agent gives. */
  readonly locals: readonly L[];
  /** Those whose values at the end are part of the outcome. */
  readonly results?: readonly NoInfer<L>[];
  /** Most words that one agent allocates on its way; default 0. */
  readonly allocates?: number;
  /** In the order of their numbers, from 0 on. */
  readonly rows: readonly RowText[];
  /**
   * Runs the row at `r.pc`, and gives the number of the next one, or `DONE`. A row makes at most ONE access of shared
   * memory, through `m`; all that it knows is in `r`. A loop must lead on: no state may come back.
   */
  step(r: Registers<L>, m: RowPort): number;
}

/** An algorithm of one agent as labelled rows over named locals, in the manner of the kernel's (`src/machine.ts`). */
export interface AlgorithmMachine<L extends string> extends MachineText<L> {
  readonly results: readonly NoInfer<L>[];
  readonly allocates: number;
}

/** Somebody who runs a machine. */
export interface AlgorithmAgent<L extends string> {
  readonly name: string;
  readonly machine: AlgorithmMachine<L>;
  /** Locals that do not start with 0. */
  readonly locals: Readonly<Partial<Record<L, number>>> | undefined;
}

/**
 * Declares a machine.
 *
 * @throws {P2mError} code `usage`: no row, a label or a local twice, a local called `pc`, a result that is no local
 */
export function machine<const L extends string = never>(text: MachineText<L>): AlgorithmMachine<L> {
  const { name, locals, rows, results = [], allocates = 0 } = text;
  const complain = (what: string, got: string, expected: string): never => {
    throw usageError(`machine ${name}: ${what}`, { got, expected });
  };
  if (rows.length === 0) complain('has no row', '0 rows', 'one or more');
  const label = twice(rows.map(([each]) => each));
  if (label !== undefined) complain('a label stands for two rows', label, 'a label for each row');
  const local = twice(['pc', ...locals]);
  if (local !== undefined) complain('a name stands for two locals', local, 'a name for each, and none called pc');
  const result = results.find((each) => !locals.includes(each));
  if (result !== undefined) complain('a result is no local', result, locals.join(' or '));
  if (!Number.isInteger(allocates) || allocates < 0 || allocates > 2 ** 16) {
    complain('words to allocate', String(allocates), 'an integer from 0 to 65536');
  }
  return { ...text, results, allocates };
}

/**
 * Declares an agent: who runs `of`, with which arguments.
 *
 * @throws {P2mError} code `usage`: an argument is no local of the machine, or no integer of 32 bits
 */
export function agent<L extends string>(
  name: string,
  of: AlgorithmMachine<L>,
  locals?: Readonly<Partial<Record<NoInfer<L>, number>>>,
): AlgorithmAgent<L> {
  for (const [local, value] of Object.entries<number | undefined>(locals ?? {})) {
    if (!(of.locals as readonly string[]).includes(local)) {
      throw usageError(`agent ${name}: an argument is no local of ${of.name}`, {
        got: local,
        expected: of.locals.join(' or ') || 'no argument',
      });
    }
    if (value === undefined || value !== (value | 0)) {
      throw usageError(`agent ${name}: argument ${local}`, { got: String(value), expected: 'an integer of 32 bits' });
    }
  }
  return { name, machine: of, locals };
}

/** The first that comes again. */
export function twice(names: readonly string[]): string | undefined {
  return names.find((name, i) => names.indexOf(name) < i);
}
