import { INVALID } from '../../events/index.js';
import { DONE } from '../../src/index.js';
import { rowsChanged, rowsSkipped } from './changed_rows.js';
import { mutantsOf, type MachineMutant } from './mutant.js';

/** Why a leaf more than is needed is no defect. */
const COSTS_A_LEAF =
  'costs a leaf that nobody needed: no invariant says that a set of what the shared leaf stands for takes no memory';

const SET: readonly MachineMutant[] = [
  {
    name: 'set-tries-no-store-first',
    labels: 'M1',
    what: 'allocates before it has tried to store',
    survives: COSTS_A_LEAF,
    change: (m) => rowsSkipped(m, { M1: 'M2' }),
  },
  {
    name: 'set-stores-twice',
    labels: 'M2',
    what: 'allocates and stores again where the first store was good',
    change: (m) =>
      rowsChanged(m, {
        M2: (r, cpu, rows) => {
          r.ret = 0;
          return rows.run(r, cpu);
        },
      }),
  },
  {
    name: 'set-ignores-failed-allocation',
    labels: 'M3',
    what: 'stores again where memory was short',
    survives:
      'equivalent: the leaf is still shared, so the second store says false too; or another CPU has linked one, and it is good',
    change: (m) =>
      rowsChanged(m, {
        'M3 call __set_phys_to_machine': (r, cpu, rows) => {
          r.ret = 1;
          return rows.run(r, cpu);
        },
      }),
  },
  {
    name: 'set-forgets-second-store',
    labels: 'M3',
    what: 'says what the allocation said, and does not store',
    change: (m) => rowsChanged(m, { 'M3 call __set_phys_to_machine': (r, cpu) => cpu.ret(r.ret) }),
  },
];

const RAW_SET: readonly MachineMutant[] = [
  {
    name: 'store-bound-dropped',
    labels: 'S1',
    what: 'stores beyond xen_p2m_size too',
    change: (m) => rowsSkipped(m, { S1: 'S2' }),
  },
  {
    name: 'store-says-true',
    labels: 'S2',
    what: 'a store that faulted counts as done',
    change: (m) => rowsChanged(m, { S2: (r, cpu, rows) => (rows.run(r, cpu) === DONE ? DONE : cpu.ret(1)) }),
  },
  {
    name: 'missing-check-dropped',
    labels: 'S4',
    what: 'INVALID for a missing leaf is refused, and so allocates',
    survives: COSTS_A_LEAF,
    change: (m) => rowsSkipped(m, { S4: 'S5' }),
  },
  {
    name: 'missing-check-always',
    labels: 'S4',
    what: 'whatever faulted counts as missing',
    change: (m) => rowsChanged(m, { S4: (r, cpu) => cpu.ret(r.value === INVALID ? 1 : 0) }),
  },
  {
    name: 'identity-check-dropped',
    labels: 'S5',
    what: 'identity for an identity leaf is refused, and so allocates',
    survives: COSTS_A_LEAF,
    change: (m) => rowsChanged(m, { S5: (_r, cpu) => cpu.ret(0) }),
  },
  {
    name: 'identity-check-any-value',
    labels: 'S5',
    what: 'any value counts as what the identity leaf stands for',
    change: (m) =>
      rowsChanged(m, { S5: (r, cpu, rows) => ((r.value = cpu.memory.codec.identityOf(r.pfn)), rows.run(r, cpu)) }),
  },
  {
    name: 'identity-check-any-leaf',
    labels: 'S5',
    what: 'a leaf that another CPU has just linked counts as the identity leaf',
    change: (m) => rowsChanged(m, { S5: (r, cpu) => cpu.ret(r.value === cpu.memory.codec.identityOf(r.pfn) ? 1 : 0) }),
  },
];

const LOOK_UP: readonly MachineMutant[] = [
  {
    name: 'look-up-bound-dropped',
    labels: '5.1.1',
    what: 'loads beyond xen_p2m_size too',
    change: (m) => rowsSkipped(m, { '5.1.1': '5.1.2' }),
  },
  {
    name: 'look-up-fallback-dropped',
    labels: '5.1.4',
    what: 'INVALID counts as the answer, without a look at the page that it stands in',
    change: (m) => rowsChanged(m, { '5.1.4 call get_phys_to_machine': (_r, cpu) => cpu.ret(INVALID) }),
  },
];

const GET: readonly MachineMutant[] = [
  {
    name: 'get-bound-dropped',
    labels: '5.2.1',
    what: 'walks beyond xen_p2m_size too',
    change: (m) => rowsSkipped(m, { '5.2.1': '5.2.2' }),
  },
  {
    name: 'get-identity-dropped',
    labels: '5.2.3',
    what: 'the identity leaf is not told from the missing one',
    change: (m) => rowsSkipped(m, { '5.2.3': '5.2.5' }),
  },
  {
    name: 'get-entry-not-read-again',
    labels: '5.2.5',
    what: 'what is not the identity leaf counts as INVALID, which the caller has read',
    change: (m) => rowsChanged(m, { '5.2.5': (_r, cpu) => cpu.ret(INVALID) }),
  },
];

/** Mutants of the stores and look-ups of the linear list. */
export const STORE_MUTANTS = [
  ...mutantsOf('linear', 'setPhysToMachine', SET),
  ...mutantsOf('linear', 'setPhysToMachineNoAlloc', RAW_SET),
  ...mutantsOf('linear', 'pfnToMfnRaw', LOOK_UP),
  ...mutantsOf('linear', 'getPhysToMachine', GET),
];
