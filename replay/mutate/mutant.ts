import type { Form, Machine, Machines } from '../../src/index.js';
import { LINEAR, machinesOf, TREE } from '../../src/index.js';
import type { Scenario } from '../scenario/scenario.js';

/** What a mutant changes: the kernel of a scenario, or of a stress run. */
export type Kernel = Pick<Scenario, 'form' | 'machines'>;

/** A kernel with one mistake in it, to see whether the checks find it: a machine with a row that is not right, or a switch flipped. */
export interface Mutant {
  /** What it is called on the command line: lower case with dashes. */
  readonly name: string;
  /** Kernel function and labels of the rows (`alloc_p2m A6.3, A6.9`), or the switch. */
  readonly where: string;
  /** The mistake, in one line. */
  readonly what: string;
  /** Which kernels it is a mutant of. */
  readonly structure: Form['structure'];
  /** Why nothing finds it, where nothing should. */
  readonly survives?: string;
  /** The scenario (or what else has a kernel) with the mutant in the place of its kernel. */
  readonly apply: <K extends Kernel>(scenario: K) => K;
}

/** What a mutant of a machine is made of; `change` makes the machine that stands in for the original. */
export interface MachineMutant {
  readonly name: string;
  /** Labels of the rows. */
  readonly labels: string;
  readonly what: string;
  readonly survives?: string;
  readonly change: (machine: Machine) => Machine;
}

/** Mutants of one machine of the linear list, or of the old tree. */
export function mutantsOf(
  structure: Form['structure'],
  machine: keyof Machines,
  list: readonly MachineMutant[],
): Mutant[] {
  return list.map(({ name, labels, what, survives, change }) => ({
    name,
    where: `${(structure === 'tree' ? TREE : LINEAR)[machine].name} ${labels}`,
    what,
    structure,
    ...(survives === undefined ? {} : { survives }),
    apply(scenario) {
      const machines = { ...machinesOf(scenario.form), ...scenario.machines };
      return { ...scenario, machines: { ...scenario.machines, [machine]: change(machines[machine]) } };
    },
  }));
}
