import { mfnWord, Role } from '../../../events/index.js';
import { LINEAR, ptePage, type Cpu, type Locals, type Machine, type Machines } from '../../../src/index.js';

/** The row that comes next where the broken one is meant; undefined: as the kernel does. */
type Broken = (r: Locals, cpu: Cpu) => number | undefined;

/** A machine of the linear list that does something else at its `nth` row of this label. */
function broken(name: keyof Machines, label: string, instead: Broken, nth = 0): Partial<Machines> {
  const machine: Machine = LINEAR[name];
  const at = machine.rows.flatMap((row, pc) => (row.label === label ? [pc] : []))[nth];
  if (at === undefined) throw new Error(`${machine.name} has no row ${label}`);
  return {
    [name]: {
      ...machine,
      step: (r: Locals, cpu: Cpu) => (r.pc === at ? instead(r, cpu) : undefined) ?? machine.step(r, cpu),
    },
  };
}

/** Goes on after the row without doing it. */
const skipped: Broken = (r) => r.pc + 1;

/** Versions of the kernel's functions, each with one mistake. */
export const BROKEN: Readonly<Record<string, Partial<Machines>>> = {
  'keeps the lock': broken('allocP2mPmd', 'P3.7', skipped),
  'does not look again under the lock': broken('allocP2m', 'A6.4', skipped),
  'does not store in the mid page': broken('allocP2m', 'A6.8', (r) => {
    r.leaf = 0;
    return r.pc + 1;
  }),
  'stores in the mid page that all share': broken('allocP2m', 'A6.8', (r, cpu) => {
    r.mid = cpu.port.loadTopMfn(3);
    return undefined;
  }),
  'does not store p2m_top_mfn_p': broken('allocP2m', 'A4.5', (r) => {
    r.mid = r.page0;
    return r.pc + 2;
  }),
  'does not tell max_pfn': broken('allocP2m', 'A7.4', (_, cpu) => cpu.ret(1)),
  'frees the leaf it has linked': broken('allocP2m', 'A6.9', (r, cpu) => {
    cpu.port.freePage(ptePage(cpu.port.loadPte(r.ptePage, r.pfn)));
    return undefined;
  }),
  'frees a page twice': broken('allocP2m', 'A4', (_, cpu) => {
    const page = cpu.port.allocPage(Role.leaf);
    cpu.port.freePage(page);
    cpu.port.freePage(page);
    return undefined;
  }),
  'forgets a page': broken('allocP2m', 'A4', (_, cpu) => {
    cpu.port.allocPage(Role.leaf);
    return undefined;
  }),
  'finds all entries missing': broken('getPhysToMachine', '5.2.5', (_, cpu) => cpu.ret(0)),
  'makes entries up': broken('getPhysToMachine', '5.2.5', (_, cpu) => cpu.ret(mfnWord(9))),
  'stores in p2m_missing': broken('setPhysToMachineNoAlloc', 'S4', (r, cpu) => {
    cpu.port.storeLeaf(ptePage(cpu.port.loadPte(r.ptePage, r.pfn)), r.pfn, r.value);
    return undefined;
  }),
  'gives up for nothing': broken('setPhysToMachine', 'M2', (_, cpu) => cpu.ret(0)),
  'stores and says it has not': broken('setPhysToMachineNoAlloc', 'S2', (r, cpu) =>
    cpu.port.storeEntry(r.pfn, r.value) ? cpu.ret(0) : undefined,
  ),
};
