import type { Cpu, Locals } from '../../src/index.js';
import { rowsChanged, rowMoved, rowsSkipped } from './changed_rows.js';
import { mutantsOf, type MachineMutant } from './mutant.js';

const ALLOC: readonly MachineMutant[] = [
  {
    name: 'tree-mid-exchange-plain',
    labels: 'A-mid',
    what: 'the compare-and-exchange of the mid page is a plain store',
    change: (m) =>
      rowsChanged(m, {
        'A-mid CAS p2m_top[top]': (r, cpu, rows) => {
          const top = topIndex(r, cpu);
          cpu.port.casTop(top, cpu.port.loadTop(top), r.mid);
          return rows.at('A4');
        },
      }),
  },
  {
    name: 'tree-mid-filled-after-publish',
    labels: 'A-mid',
    what: 'p2m_top names the mid page before it is filled',
    change: (m) =>
      rowMoved(m, 'A-mid fill with p2m_missing', {
        next: 'A-mid CAS p2m_top[top]',
        after: 'A-mid CAS p2m_top[top]',
        step: 'cmpxchg mid',
      }),
  },
  {
    name: 'tree-lost-mid-leaked',
    labels: 'A-mid',
    what: 'the loser keeps its mid page',
    change: (m) => rowsSkipped(m, { 'A-mid FREE the mid page': 'A4' }),
  },
  {
    name: 'tree-lost-mid-freed-twice',
    labels: 'A-mid',
    what: 'the loser frees its mid page twice',
    change: (m) =>
      rowsChanged(m, { 'A-mid FREE the mid page': (r, cpu, rows) => (cpu.port.freePage(r.mid), rows.run(r, cpu)) }),
  },
  {
    name: 'tree-mid-loser-uses-winner',
    labels: 'A-mid',
    what: 'the loser goes on with the winner’s mid page',
    survives: 'mends: this is B0c put right',
    change: (m) =>
      rowsChanged(m, {
        'A-mid FREE the mid page': (r, cpu, rows) => {
          const next = rows.run(r, cpu);
          r.mid = r.seen;
          return next;
        },
      }),
  },
  {
    name: 'tree-tools-mid-exchange-plain',
    labels: 'A4.4',
    what: 'the compare-and-exchange of the tools’ mid page is a plain store',
    change: (m) =>
      rowsChanged(m, {
        'A4.4': (r, cpu, rows) => (cpu.port.setTopMfn(topIndex(r, cpu), r.midMfn), rows.at('A4.5')),
      }),
  },
  {
    name: 'tree-tools-mid-filled-after-publish',
    labels: 'A4.3, A4.4',
    what: 'p2m_top_mfn names the mid page before it is filled',
    change: (m) =>
      rowMoved(m, 'A4.3 fill with mfn(p2m_missing)', { next: 'A4.4', after: 'A4.4', step: 'store mid_mfn' }),
  },
  {
    name: 'tree-tools-mid-pointer-dropped',
    labels: 'A4.5',
    what: 'p2m_top_mfn_p goes on naming the missing mid page',
    change: (m) => rowsSkipped(m, { 'A4.5': 'A-leaf R p2m_top[top]' }),
  },
  {
    name: 'tree-tools-mid-pointer-before-exchange',
    labels: 'A4.5, A4.4',
    what: 'p2m_top_mfn_p names the mid page before the compare-and-exchange has decided',
    change: (m) =>
      rowsChanged(m, {
        'A4.3 fill with mfn(p2m_missing)': (r, cpu, rows) => (rows.run(r, cpu), rows.at('A4.5')),
        'A4.5': (r, cpu, rows) => (rows.run(r, cpu), rows.at('A4.4')),
        'A4.4': (r, cpu, rows) =>
          rows.run(r, cpu) === rows.at('A4.6') ? rows.at('A4.6') : rows.at('A-leaf R p2m_top[top]'),
      }),
  },
  {
    name: 'tree-tools-lost-mid-leaked',
    labels: 'A4.6',
    what: 'the loser keeps its mid page for the tools',
    change: (m) =>
      rowsChanged(m, { 'A4.6': (r, _cpu, rows) => ((r.midMfn = r.seen), rows.at('A-leaf R p2m_top[top]')) }),
  },
  {
    name: 'tree-tools-lost-mid-freed-twice',
    labels: 'A4.6',
    what: 'the loser frees its mid page for the tools twice',
    change: (m) => rowsChanged(m, { 'A4.6': (r, cpu, rows) => (cpu.port.freePage(r.midMfn), rows.run(r, cpu)) }),
  },
  {
    name: 'tree-leaf-check-dropped',
    labels: 'A-leaf',
    what: 'a private leaf counts as shared, and is replaced',
    change: (m) =>
      rowsChanged(m, {
        'A-leaf R mid[mididx]': (r, cpu, rows) => {
          r.seen = cpu.port.loadMid(r.linked, midIndex(r, cpu));
          return rows.at('A-leaf ALLOC a leaf');
        },
      }),
  },
  {
    name: 'tree-leaf-exchange-plain',
    labels: 'A-leaf',
    what: 'the compare-and-exchange of the leaf is a plain store',
    change: (m) =>
      rowsChanged(m, {
        'A-leaf CAS mid[mididx]': (r, cpu, rows) => {
          r.seen = cpu.port.loadMid(r.mid, midIndex(r, cpu));
          return rows.run(r, cpu);
        },
      }),
  },
  {
    name: 'tree-leaf-filled-after-publish',
    labels: 'A-leaf',
    what: 'the mid page names the leaf before it is filled',
    change: (m) =>
      rowMoved(m, 'A-leaf fill INVALID', {
        next: 'A-leaf CAS mid[mididx]',
        after: 'A-leaf CAS mid[mididx]',
        step: 'store entry',
      }),
  },
  {
    name: 'tree-mid-entry-dropped',
    labels: 'A-leaf',
    what: 'the tools’ tree never names the leaf',
    change: (m) => rowsChanged(m, { 'A-leaf W mid_mfn[mididx]': (_r, cpu) => cpu.ret(1) }),
  },
  {
    name: 'tree-lost-leaf-leaked',
    labels: 'A-leaf',
    what: 'the loser keeps its leaf',
    change: (m) => rowsChanged(m, { 'A-leaf FREE the leaf': (_r, cpu) => cpu.ret(1) }),
  },
  {
    name: 'tree-lost-leaf-freed-twice',
    labels: 'A-leaf',
    what: 'the loser frees its leaf twice',
    change: (m) =>
      rowsChanged(m, { 'A-leaf FREE the leaf': (r, cpu, rows) => (cpu.port.freePage(r.leaf), rows.run(r, cpu)) }),
  },
];

const RAW_SET: readonly MachineMutant[] = [
  {
    name: 'tree-identity-mid-exchange-plain',
    labels: "S2'",
    what: 'identity for a missing mid page is a plain store',
    change: (m) =>
      rowsChanged(m, {
        "S2'": (r, cpu, rows) => {
          r.mid = cpu.port.loadTop(topIndex(r, cpu));
          return rows.run(r, cpu);
        },
      }),
  },
  {
    name: 'tree-identity-leaf-exchange-plain',
    labels: "S3'",
    what: 'identity for a missing leaf is a plain store',
    change: (m) =>
      rowsChanged(m, {
        "S3'": (r, cpu, rows) => {
          r.leaf = cpu.port.loadMid(r.mid, midIndex(r, cpu));
          return rows.run(r, cpu);
        },
      }),
  },
  {
    name: 'tree-missing-check-dropped',
    labels: 'S3',
    what: 'stores into the missing leaf that all share',
    change: (m) =>
      rowsChanged(m, {
        S3: (r, cpu, rows) => {
          r.leaf = cpu.port.loadMid(r.mid, midIndex(r, cpu));
          return rows.at('S5');
        },
      }),
  },
];

const LOOK_UP: readonly MachineMutant[] = [
  {
    name: 'tree-get-identity-dropped',
    labels: '5.2.3',
    what: 'the identity leaf is not told from the missing one',
    change: (m) =>
      rowsChanged(m, {
        '5.2.3': (r, cpu, rows) => {
          r.leaf = cpu.port.loadMid(r.mid, midIndex(r, cpu));
          return rows.at('5.2.5');
        },
      }),
  },
];

/** Mutants of the machines of the old tree. */
export const TREE_MUTANTS = [
  ...mutantsOf('tree', 'allocP2m', ALLOC),
  ...mutantsOf('tree', 'setPhysToMachineNoAlloc', RAW_SET),
  ...mutantsOf('tree', 'getPhysToMachine', LOOK_UP),
];

function topIndex(r: Locals, { geometry }: Cpu): number {
  return Math.floor(r.pfn / geometry.pfnsPerMidPage);
}

function midIndex(r: Locals, { geometry }: Cpu): number {
  return Math.floor(r.pfn / geometry.perPage) % geometry.midPerPage;
}
