import { algorithm, type Invariant } from '../algorithm.js';
import type { AlgorithmProgram } from '../algorithm_program.js';
import { agent, DONE, machine, type AlgorithmAgent, type AlgorithmMachine } from '../machine.js';
import { SharedMemory } from '../shared_memory.js';

const W1 = 0;
const W2 = 1;
const L1 = 2;
const L2 = 3;
const A1 = 4;
const C1 = 5;
const C2 = 6;
const K1 = 7;
const K2 = 8;
const K3 = 9;
const K4 = 10;
const K5 = 11;
const R1 = 12;
const M1 = 13;
const M2 = 14;
const M3 = 15;
const M4 = 16;
const F1 = 17;
const F2 = 18;
const F3 = 19;

const memory = new SharedMemory();
const sharedLeaf = memory.words('shared_leaf', 0);
const sharedPage = memory.words('shared_page', sharedLeaf, sharedLeaf);
const pmd = memory.words('pmd', sharedPage, sharedPage);
const lock = memory.lock('lock');

type SetterLocal = 'd' | 't' | 'value' | 'page' | 'fresh' | 'ptep' | 'leaf';

/**
 * Sets the word of slot `d`, `t`: finds, or copies and links, a PT page of its own and then a leaf of its own, each time
 * first without and then under the lock.
 *
 * @param form `broken` keeps the PTE pointer into the shared page when another has linked his page first
 */
function setter(form: SmallForm): AlgorithmMachine<SetterLocal> {
  return machine({
    name: 'set',
    locals: ['d', 't', 'value', 'page', 'fresh', 'ptep', 'leaf'],
    allocates: 3,
    rows: [
      ['W1', 'R pmd[d]'],
      ['W2', 'R pte[t]'],
      ['L1', 'R pmd[d]'],
      ['L2', 'R pte[t]'],
      ['A1', 'R pmd[d]'],
      ['C1', 'R word 0 of the shared page'],
      ['C2', 'R word 1 of the shared page'],
      ['K1', 'LOCK', lock],
      ['K2', 'R pmd[d]'],
      ['K3', 'W pmd[d]'],
      ['K4', 'UNLOCK'],
      ['K5', 'R pmd[d]'],
      ['R1', 'R *ptep'],
      ['M1', 'LOCK', lock],
      ['M2', 'R *ptep'],
      ['M3', 'W *ptep'],
      ['M4', 'UNLOCK'],
      ['F1', 'R pmd[d]'],
      ['F2', 'R pte[t]'],
      ['F3', 'W leaf'],
    ],
    step(r, m) {
      switch (r.pc) {
        case W1:
          r.page = m.load(pmd + r.d);
          return W2;
        case W2:
          r.leaf = m.load(r.page + r.t);
          return r.leaf === sharedLeaf ? L1 : F3;
        case L1:
          r.page = m.load(pmd + r.d);
          return L2;
        case L2:
          m.load(r.page + r.t);
          return A1;
        case A1:
          r.page = m.load(pmd + r.d);
          r.ptep = r.page + r.t;
          return r.page === sharedPage ? C1 : R1;
        case C1:
          r.fresh = m.alloc(2);
          m.init(r.fresh, m.load(sharedPage));
          return C2;
        case C2:
          m.init(r.fresh + 1, m.load(sharedPage + 1));
          return K1;
        case K1:
          m.lock(lock);
          return K2;
        case K2:
          return m.load(pmd + r.d) === sharedPage ? K3 : K4;
        case K3:
          m.store(pmd + r.d, r.fresh);
          r.ptep = r.fresh + r.t;
          return K4;
        case K4:
          m.unlock(lock);
          return form === 'fixed' ? K5 : R1;
        case K5:
          r.ptep = m.load(pmd + r.d) + r.t;
          return R1;
        case R1:
          return m.load(r.ptep) === sharedLeaf ? M1 : F1;
        case M1:
          m.lock(lock);
          return M2;
        case M2:
          return m.load(r.ptep) === sharedLeaf ? M3 : M4;
        case M3:
          m.store(r.ptep, m.alloc(1));
          return M4;
        case M4:
          m.unlock(lock);
          return F1;
        case F1:
          r.page = m.load(pmd + r.d);
          return F2;
        case F2:
          r.leaf = m.load(r.page + r.t);
          return F3;
        case F3:
        default:
          m.store(r.leaf, r.value);
          return DONE;
      }
    },
  });
}

/** Reads what slot 0, 0 holds. */
const reader = machine({
  name: 'get',
  locals: ['found'],
  results: ['found'],
  rows: [
    ['G1', 'R pmd[0]'],
    ['G2', 'R pte[0]'],
    ['G3', 'R leaf'],
  ],
  step(r, m) {
    switch (r.pc) {
      case 0:
        r.found = m.load(pmd);
        return 1;
      case 1:
        r.found = m.load(r.found);
        return 2;
      default:
        r.found = m.load(r.found);
        return DONE;
    }
  },
});

/** `fixed` reads the PMD again after the lock; `broken`, as the kernel once did, goes on with what it had. */
export type SmallForm = 'fixed' | 'broken';

/** Setters of slots 0 0, 0 1, 1 0 and 1 1, which store 1, 2, 3 and 4, and readers of slot 0 0, as many as you like. */
export type SmallAgent = keyof typeof SLOTS | 'R';

const SLOTS = {
  S1: { d: 0, t: 0, value: 1 },
  S2: { d: 0, t: 1, value: 2 },
  S3: { d: 1, t: 0, value: 3 },
  S4: { d: 1, t: 1, value: 4 },
} as const;

/**
 * The small algorithm of design 7: what `set_phys_to_machine` does to a list of two PMDs, two PTEs and one-word leaves, at
 * one shared access a row. It is what explorers are measured on.
 *
 * @param names each setter once at most
 */
export function smallAlgorithm(form: SmallForm, names: readonly SmallAgent[]): AlgorithmProgram {
  const set = setter(form);
  let readers = 0;
  const agents: AlgorithmAgent<string>[] = names.map((name) =>
    name === 'R' ? agent(`R${++readers}`, reader) : agent(name, set, SLOTS[name]),
  );
  const setters = names.flatMap((name) => (name === 'R' ? [] : [SLOTS[name]]));
  return algorithm({ memory, agents, invariants: invariantsOf(setters) });
}

function invariantsOf(
  setters: readonly { readonly d: number; readonly t: number; readonly value: number }[],
): Invariant[] {
  return [
    {
      name: 'shared-page-written',
      wrong: 'a word of the shared PT page no longer names the shared leaf',
      when: 'always',
      reads: [sharedPage, sharedPage + 1],
      holds: (view) => view.load(sharedPage) === sharedLeaf && view.load(sharedPage + 1) === sharedLeaf,
    },
    {
      name: 'shared-leaf-written',
      wrong: 'the shared leaf holds what somebody set',
      when: 'always',
      reads: [sharedLeaf],
      holds: (view) => view.load(sharedLeaf) === 0,
    },
    {
      name: 'lost-update',
      wrong: 'a slot does not hold at the end what its setter has set',
      when: 'end',
      holds: (view) => setters.every(({ d, t, value }) => view.load(view.load(view.load(pmd + d) + t)) === value),
    },
  ];
}
