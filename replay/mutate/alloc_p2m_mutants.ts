import { Global } from '../../events/index.js';
import { DONE, NO_PAGE, type Cpu, type Locals } from '../../src/index.js';
import { rowsChanged, rowMoved, rowsSkipped, type OriginalRows } from './changed_rows.js';
import { mutantsOf, type MachineMutant } from './mutant.js';

/** Why a change of the generation is not seen. */
export const TOOLS_ONLY =
  'equivalent here: only tools that walk the list while the kernel changes it read p2m_generation, and no such observer runs';

const LOCK: readonly MachineMutant[] = [
  {
    name: 'leaf-lock-dropped',
    labels: 'A6.3, A6.9',
    what: 'the PTE is read again and stored without the lock',
    change: (m) => rowsSkipped(m, { 'A6.3': 'A6.4', 'A6.9': 'A6.10' }),
  },
  {
    name: 'leaf-unlock-dropped',
    labels: 'A6.9',
    what: 'the lock is never given back',
    change: (m) => rowsSkipped(m, { 'A6.9': 'A6.10' }),
  },
  {
    name: 'leaf-recheck-before-lock',
    labels: 'A6.4, A6.3',
    what: 'the PTE is read again before the lock is taken',
    change: (m) => rowMoved(m, 'A6.3', { next: 'A6.4', after: 'A6.4' }),
  },
];

const CHECKS: readonly MachineMutant[] = [
  {
    name: 'leaf-recheck-dropped',
    labels: 'A6.4',
    what: 'under the lock the PTE counts as unchanged, whatever it is',
    change: (m) =>
      rowsChanged(m, {
        'A6.4': (r, cpu, rows) => {
          rows.run(r, cpu);
          return rows.at(cpu.form.listForTools ? 'A6.5' : 'A6.6');
        },
      }),
  },
  {
    name: 'leaf-recheck-always-lost',
    labels: 'A6.4',
    what: 'under the lock the PTE counts as changed, whatever it is',
    change: (m) => rowsChanged(m, { 'A6.4': (r, cpu, rows) => (rows.run(r, cpu), rows.at('A6.9')) }),
  },
  {
    name: 'leaf-check-always-shared',
    labels: 'A5',
    what: 'a private leaf counts as shared, and is replaced',
    change: (m) =>
      rowsChanged(m, {
        A5: (r, cpu, rows) => {
          r.pte = cpu.port.loadPte(r.ptePage, r.pfn);
          return rows.at('A6.1');
        },
      }),
  },
  {
    name: 'leaf-check-always-private',
    labels: 'A5',
    what: 'a shared leaf counts as private, and is kept',
    change: (m) => rowsChanged(m, { A5: (_r, cpu, rows) => (cpu.form.listForTools ? rows.at('A7.1') : cpu.ret(1)) }),
  },
  {
    name: 'pte-pointer-not-renewed',
    labels: 'A3',
    what: 'goes on with the PTE pointer from before alloc_p2m_pmd, which is in the shared PT page',
    change: (m) => rowsChanged(m, { A3: (r, cpu, rows) => (r.ret === NO_PAGE ? cpu.ret(0) : rows.at('A4')) }),
  },
  {
    name: 'failed-pmd-ignored',
    labels: 'A3',
    what: 'goes on with the old PTE pointer where alloc_p2m_pmd had no memory',
    change: (m) =>
      rowsChanged(m, {
        A3: (r, cpu, rows) => {
          if (r.ret === NO_PAGE) r.ret = r.ptePage;
          return rows.run(r, cpu);
        },
      }),
  },
  {
    name: 'top-mfn-check-dropped',
    labels: 'A4.2',
    what: 'p2m_top_mfn may name another mid page than p2m_top_mfn_p',
    survives:
      'mends: the one way to differ is the window between A4.4 and A4.5 (the BUG_ON that 7.0 has there), and who goes on loses A4.4 and takes the winner’s page',
    change: (m) =>
      rowsChanged(m, {
        'A4.2': (r, cpu, rows) =>
          rows.at(r.mid === cpu.port.global(Global.p2m_mid_missing_mfn) ? 'A4.3 ALLOC a mid page' : 'A5'),
      }),
  },
  {
    name: 'mid-check-always-private',
    labels: 'A4.2',
    what: 'p2m_mid_missing_mfn counts as a mid page of one’s own, and the leaf is stored into it',
    change: (m) =>
      rowsChanged(m, {
        'A4.2': (r, cpu, rows) => (rows.run(r, cpu), cpu.state === 'running' ? rows.at('A5') : r.pc),
      }),
  },
  {
    name: 'mid-check-always-missing',
    labels: 'A4.2',
    what: 'a mid page of one’s own counts as missing, and is replaced',
    change: (m) =>
      rowsChanged(m, {
        'A4.2': (r, cpu, rows) => (rows.run(r, cpu), cpu.state === 'running' ? rows.at('A4.3 ALLOC a mid page') : r.pc),
      }),
  },
  {
    name: 'mid-exchange-plain',
    labels: 'A4.4',
    what: 'the compare-and-exchange is a plain store',
    change: (m) =>
      rowsChanged(m, {
        'A4.4': (r, cpu, rows) => {
          cpu.port.setTopMfn(topIndex(r, cpu), r.page0);
          return rows.at('A4.5');
        },
      }),
  },
  {
    name: 'mid-loser-keeps-own',
    labels: 'A4.6',
    what: 'the loser of the compare-and-exchange goes on with the page that it has freed',
    change: (m) =>
      rowsChanged(m, {
        'A4.6': (r, cpu, rows) => {
          r.seen = r.page0;
          return rows.run(r, cpu);
        },
      }),
  },
];

const ORDER: readonly MachineMutant[] = [
  {
    name: 'leaf-filled-after-publish',
    labels: 'A6.2, A6.6',
    what: 'the PTE names the leaf before it is filled',
    change: (m) => rowMoved(m, 'A6.2', { next: 'A6.3', after: 'A6.6', step: 'store entry' }),
  },
  {
    name: 'mid-filled-after-publish',
    labels: 'A4.3, A4.4',
    what: 'p2m_top_mfn names the mid page before it is filled',
    change: (m) =>
      rowMoved(m, 'A4.3 fill with mfn(p2m_missing)', { next: 'A4.4', after: 'A4.4', step: 'store mid_mfn' }),
  },
  {
    name: 'mid-pointer-before-exchange',
    labels: 'A4.5, A4.4',
    what: 'p2m_top_mfn_p names the mid page before the compare-and-exchange has decided',
    change: (m) =>
      rowsChanged(m, {
        'A4.3 fill with mfn(p2m_missing)': (r, cpu, rows) => (rows.run(r, cpu), rows.at('A4.5')),
        'A4.5': (r, cpu, rows) => (rows.run(r, cpu), rows.at('A4.4')),
        'A4.4': (r, cpu, rows) => {
          const missing = cpu.port.global(Global.p2m_mid_missing_mfn);
          r.seen = cpu.port.casTopMfn(topIndex(r, cpu), missing, r.page0);
          return rows.at(r.seen === missing ? 'A5' : 'A4.6');
        },
      }),
  },
  {
    name: 'mid-entry-before-recheck',
    labels: 'A6.8, A6.4',
    what: 'the tools’ tree names the leaf before it is known whether it will be linked',
    change: (m) =>
      rowsChanged(m, {
        'A6.4': (r, cpu, rows) => {
          const { leaf } = r;
          rows.run(r, cpu, 'A6.8');
          r.leaf = leaf;
          return rows.run(r, cpu, 'A6.4');
        },
        'A6.8': dropLeaf,
      }),
  },
  {
    name: 'mid-entry-after-unlock',
    labels: 'A6.8, A6.9',
    what: 'the tools’ tree names the leaf only when the lock is given back',
    survives:
      'no defect: only who linked the leaf stores the word, and before it returns; the tree lags behind the list for longer, which only tools that read meanwhile see',
    change: (m) => rowMoved(m, 'A6.8', { next: 'A6.9', after: 'A6.9' }),
  },
  {
    name: 'max-pfn-before-last-pfn',
    labels: 'A7.4, A7.2',
    what: 'max_pfn is raised to xen_p2m_last_pfn before that is raised',
    change: (m) =>
      rowsChanged(m, {
        'A7.1': (r, cpu, rows) => (rows.run(r, cpu) === DONE ? DONE : rows.at('A7.3')),
        'A7.4': (r, cpu, rows) => (cpu.port.setMaxPfn(r.seen), rows.at('A7.2')),
        'A7.2': (r, cpu, rows) => (rows.run(r, cpu), cpu.ret(1)),
      }),
  },
];

const STORES: readonly MachineMutant[] = [
  {
    name: 'leaf-odd-generation-dropped',
    labels: 'A6.5',
    what: 'the generation is not raised before the PTE is stored',
    survives: TOOLS_ONLY,
    change: (m) => rowsSkipped(m, { 'A6.5': 'A6.6' }),
  },
  {
    name: 'leaf-even-generation-dropped',
    labels: 'A6.7',
    what: 'the generation is not raised after the PTE is stored',
    survives: TOOLS_ONLY,
    change: (m) => rowsSkipped(m, { 'A6.7': 'A6.8' }),
  },
  {
    name: 'mid-pointer-dropped',
    labels: 'A4.5',
    what: 'p2m_top_mfn_p goes on naming the missing mid page',
    change: (m) => rowsChanged(m, { 'A4.5': (r, _cpu, rows) => ((r.mid = r.page0), rows.at('A5')) }),
  },
  {
    name: 'mid-entry-dropped',
    labels: 'A6.8',
    what: 'the tools’ tree never names the leaf',
    change: (m) => rowsChanged(m, { 'A6.8': dropLeaf }),
  },
  {
    name: 'last-pfn-dropped',
    labels: 'A7.2',
    what: 'xen_p2m_last_pfn is not raised',
    change: (m) => rowsSkipped(m, { 'A7.2': 'A7.3' }),
  },
  {
    name: 'max-pfn-dropped',
    labels: 'A7.4',
    what: 'max_pfn is not raised',
    change: (m) => rowsChanged(m, { 'A7.4': (_r, cpu) => cpu.ret(1) }),
  },
  {
    name: 'last-pfn-always-stored',
    labels: 'A7.1',
    what: 'xen_p2m_last_pfn is stored for a pfn below it too',
    change: (m) => rowsSkipped(m, { 'A7.1': 'A7.2' }),
  },
  {
    name: 'last-pfn-not-read-again',
    labels: 'A7.3',
    what: 'max_pfn is raised to what this CPU stored, not to what is there',
    change: (m) =>
      rowsChanged(m, {
        'A7.2': (r, cpu, rows) => {
          const next = rows.run(r, cpu);
          r.seen = cpu.port.global(Global.xen_p2m_last_pfn);
          return next;
        },
        'A7.3': (_r, _cpu, rows) => rows.at('A7.4'),
      }),
  },
];

const PAGES: readonly MachineMutant[] = [
  {
    name: 'lost-leaf-leaked',
    labels: 'A6.10',
    what: 'the loser keeps its leaf',
    change: (m) =>
      rowsChanged(m, {
        'A6.10': (r, cpu, rows) => {
          r.leaf = NO_PAGE;
          return rows.run(r, cpu);
        },
      }),
  },
  {
    name: 'lost-leaf-freed-twice',
    labels: 'A6.10',
    what: 'the loser frees its leaf twice',
    change: (m) =>
      rowsChanged(m, {
        'A6.10': (r, cpu, rows) => {
          if (r.leaf !== NO_PAGE) cpu.port.freePage(r.leaf);
          return rows.run(r, cpu);
        },
      }),
  },
  {
    name: 'linked-leaf-freed',
    labels: 'A6.8',
    what: 'the winner takes its leaf for one that is not linked',
    change: (m) =>
      rowsChanged(m, {
        'A6.8': (r, cpu, rows) => {
          const { leaf } = r;
          const next = rows.run(r, cpu);
          r.leaf = leaf;
          return next;
        },
      }),
  },
  {
    name: 'lost-mid-leaked',
    labels: 'A4.6',
    what: 'the loser of the compare-and-exchange keeps its mid page',
    change: (m) => rowsChanged(m, { 'A4.6': (r, _cpu, rows) => ((r.mid = r.seen), rows.at('A5')) }),
  },
  {
    name: 'lost-mid-freed-twice',
    labels: 'A4.6',
    what: 'the loser of the compare-and-exchange frees its mid page twice',
    change: (m) => rowsChanged(m, { 'A4.6': (r, cpu, rows) => (cpu.port.freePage(r.page0), rows.run(r, cpu)) }),
  },
];

/** Mutants of `alloc_p2m` of the linear list. */
export const ALLOC_P2M_MUTANTS = mutantsOf('linear', 'allocP2m', [...LOCK, ...CHECKS, ...ORDER, ...STORES, ...PAGES]);

function topIndex(r: Locals, { geometry }: Cpu): number {
  return Math.floor(r.pfn / geometry.pfnsPerMidPage);
}

/** A6.8 without its store: the leaf is no longer this CPU's own. */
function dropLeaf(r: Locals, _cpu: Cpu, rows: OriginalRows): number {
  r.leaf = NO_PAGE;
  return rows.at('A6.9');
}
