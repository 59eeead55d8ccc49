import { NO_PAGE, type Locals } from '../../src/index.js';
import { TOOLS_ONLY } from './alloc_p2m_mutants.js';
import { rowsChanged, rowMoved, rowsSkipped } from './changed_rows.js';
import { mutantsOf, type MachineMutant } from './mutant.js';

const LIST: readonly MachineMutant[] = [
  {
    name: 'pmd-lock-dropped',
    labels: 'P3.4, P3.7',
    what: 'the PMD is read again and stored without the lock',
    change: (m) => rowsSkipped(m, { 'P3.4': 'P3.5', 'P3.7': 'P3.8 HC retract the page table' }),
  },
  {
    name: 'pmd-unlock-dropped',
    labels: 'P3.7',
    what: 'the lock is never given back',
    change: (m) => rowsSkipped(m, { 'P3.7': 'P3.8 HC retract the page table' }),
  },
  {
    name: 'pmd-recheck-before-lock',
    labels: 'P3.5, P3.4',
    what: 'the PMD is read again before the lock is taken',
    change: (m) => rowMoved(m, 'P3.4', { next: 'P3.5', after: 'P3.5' }),
  },
  {
    name: 'pmd-recheck-dropped',
    labels: 'P3.5',
    what: 'under the lock the PMD counts as still shared, whatever it names',
    change: (m) =>
      rowsChanged(m, {
        'P3.5': (r, cpu, rows) => {
          rows.run(r, cpu);
          return rows.at(cpu.form.listForTools ? 'P3.6 W generation + 1 #1' : 'P3.6 W PMD');
        },
      }),
  },
  {
    name: 'pmd-recheck-always-lost',
    labels: 'P3.5',
    what: 'under the lock the PMD counts as changed, whatever it names',
    change: (m) => rowsChanged(m, { 'P3.5': (r, cpu, rows) => (rows.run(r, cpu), rows.at('P3.7')) }),
  },
  {
    name: 'pmd-walk-returns-own',
    labels: 'P4',
    what: 'returns the page that this call took, linked or freed, without a walk',
    change: (m) =>
      rowsChanged(m, {
        'P3.1': (r, cpu, rows) => ((r.result = ownPage(r)), rows.run(r, cpu)),
        P4: (r, cpu) => cpu.ret(r.result),
      }),
  },
  {
    name: 'pt-page-copied-after-publish',
    labels: 'P3.1, P3.6',
    what: 'the PMD names the PT page before the shared one is copied into it',
    change: (m) =>
      rowMoved(m, 'P3.1', {
        next: 'P3.2',
        after: 'P3.6 W PMD',
        // The page is no longer the call's own; the PMD names it.
        run: (r, cpu, rows) => (cpu.port.copyPage(cpu.port.walk(r.vaddr), r.ptePage), rows.at('P3.2')),
      }),
  },
  {
    name: 'pmd-odd-generation-dropped',
    labels: 'P3.6',
    what: 'the generation is not raised before the PMD is stored',
    survives: TOOLS_ONLY,
    change: (m) => rowsSkipped(m, { 'P3.6 W generation + 1 #1': 'P3.6 W PMD' }),
  },
  {
    name: 'pmd-even-generation-dropped',
    labels: 'P3.6',
    what: 'the generation is not raised after the PMD is stored',
    survives: TOOLS_ONLY,
    change: (m) => rowsSkipped(m, { 'P3.6 W generation + 1 #2': 'P3.7' }),
  },
  {
    name: 'lost-pt-page-leaked',
    labels: 'P3.8',
    what: 'the loser keeps its PT page',
    change: (m) => rowsSkipped(m, { 'P3.8 HC retract the page table': 'P3.9' }),
  },
  {
    name: 'lost-pt-page-freed-twice',
    labels: 'P3.8',
    what: 'the loser frees its PT page twice',
    change: (m) =>
      rowsChanged(m, {
        'P3.8 FREE': (r, cpu, rows) => (cpu.port.freePage(ownPage(r)), rows.run(r, cpu)),
      }),
  },
  {
    name: 'linked-pt-page-freed',
    labels: 'P3.6',
    what: 'the winner takes its PT page for one that is not linked',
    change: (m) =>
      rowsChanged(m, {
        'P3.6 W PMD': (r, cpu, rows) => {
          const { page0, page1 } = r;
          const next = rows.run(r, cpu);
          r.page0 = page0;
          r.page1 = page1;
          return next;
        },
      }),
  },
  {
    name: 'failed-pt-pages-leaked',
    labels: 'P1',
    what: 'where the second PT page of a mid page fails, the first is not given back',
    change: (m) => rowsChanged(m, { 'P1 FREE the pages taken': (_r, cpu) => cpu.ret(NO_PAGE) }),
  },
  {
    name: 'failed-pt-pages-freed-twice',
    labels: 'P1',
    what: 'where the second PT page of a mid page fails, the first is freed twice',
    change: (m) =>
      rowsChanged(m, {
        'P1 FREE the pages taken': (r, cpu, rows) => (cpu.port.freePage(r.page0), rows.run(r, cpu)),
      }),
  },
  {
    name: 'second-pmd-forgotten',
    labels: 'P3.9',
    what: 'of the PMDs of a mid page only the first is served',
    change: (m) =>
      rowsChanged(m, {
        'P3.9': (r, cpu, rows) => {
          r.i = cpu.geometry.pmdsPerMidPage - 1;
          return rows.run(r, cpu);
        },
      }),
  },
  {
    name: 'address-not-rounded',
    labels: 'P2',
    what: 'the PMDs of a mid page are counted from the one of the pfn',
    survives:
      'outside of a scenario: a mid page with one PMD shared and the other not works until xen_build_mfn_list_list finds it at resume (4.8.2e)',
    change: (m) =>
      rowsChanged(m, {
        P2: (r, cpu, rows) => {
          const next = rows.run(r, cpu);
          r.vaddr = r.pfn - (r.pfn % cpu.geometry.pfnsPerPtePage);
          return next;
        },
      }),
  },
];

/** Mutants of `alloc_p2m_pmd`. */
export const ALLOC_P2M_PMD_MUTANTS = mutantsOf('linear', 'allocP2mPmd', LIST);

/** The page of iteration `r.i`, as long as it is the call's own. */
function ownPage(r: Locals): number {
  return r.i === 0 ? r.page0 : r.page1;
}
