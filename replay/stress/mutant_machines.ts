import { usageError } from '../../events/index.js';
import type { Form, Machines } from '../../src/index.js';
import type { Kernel } from '../mutate/mutant.js';
import { mutantsByName } from '../mutate/mutants.js';

/**
 * A kernel with one mistake (docs/mutants.md).
 * @throws {P2mError} code `usage`: no such mutant, or not of a kernel with that structure
 */
export function mutantKernel(form: Form, name: string): Kernel {
  const [mutant, ...more] = mutantsByName(name);
  if (mutant === undefined || more.length > 0) throw usageError('one mutant at a time', { got: name });
  if (mutant.structure !== form.structure) {
    throw usageError('this mutant is of another structure', {
      got: `${name} with kernel ${form.name}`,
      expected: `a kernel with the ${mutant.structure}`,
    });
  }
  return mutant.apply<Kernel>({ form, machines: {} });
}

/** The machines of a mutant, for threads whose form is the mutant's already. */
export function mutantMachines(form: Form, name: string): Partial<Machines> {
  return mutantKernel(form, name).machines;
}
