import { algorithm, type Invariant } from '../algorithm.js';
import type { AlgorithmProgram } from '../algorithm_program.js';
import { agent, DONE, machine, type AlgorithmAgent, type AlgorithmMachine } from '../machine.js';
import { SharedMemory } from '../shared_memory.js';

/** Store buffering, `x = 1; r = y || y = 1; r = x`: never are both `r` 0, for memory is sequentially consistent. */
export function storeBuffering(): AlgorithmProgram {
  const memory = new SharedMemory();
  const x = memory.words('x', 0);
  const y = memory.words('y', 0);
  const storeThenLoad = machine({
    name: 'store_then_load',
    locals: ['mine', 'other', 'r'],
    results: ['r'],
    rows: [
      ['1', 'W mine'],
      ['2', 'R other'],
    ],
    step(r, m) {
      switch (r.pc) {
        case 0:
          m.store(r.mine, 1);
          return 1;
        default:
          r.r = m.load(r.other);
          return DONE;
      }
    },
  });
  const a = agent('A', storeThenLoad, { mine: x, other: y });
  const b = agent('B', storeThenLoad, { mine: y, other: x });
  const seen: Invariant = {
    name: 'one-sees-the-other',
    wrong: 'neither saw what the other had stored',
    when: 'end',
    holds: (view) => view.local(a, 'r') + view.local(b, 'r') > 0,
  };
  return algorithm({ memory, agents: [a, b], invariants: [seen] });
}

/** `r = x; x = r + 1` by as many agents: increments get lost. */
export function racyIncrement(agents: number): AlgorithmProgram {
  const memory = new SharedMemory();
  const x = memory.words('x', 0);
  const increment = machine({
    name: 'increment',
    locals: ['r'],
    rows: [
      ['1', 'R x'],
      ['2', 'W x'],
    ],
    step(r, m) {
      switch (r.pc) {
        case 0:
          r.r = m.load(x);
          return 1;
        default:
          m.store(x, r.r + 1);
          return DONE;
      }
    },
  });
  return algorithm({ memory, agents: crowd(agents, increment), invariants: [counted(x, agents)] });
}

/** `lock; r = x; x = r + 1; unlock` by as many agents: none gets lost. */
export function lockedIncrement(agents: number): AlgorithmProgram {
  const memory = new SharedMemory();
  const x = memory.words('x', 0);
  const lock = memory.lock('lock');
  const increment = machine({
    name: 'increment',
    locals: ['r'],
    rows: [
      ['1', 'LOCK', lock],
      ['2', 'R x'],
      ['3', 'W x'],
      ['4', 'UNLOCK'],
    ],
    step(r, m) {
      switch (r.pc) {
        case 0:
          m.lock(lock);
          return 1;
        case 1:
          r.r = m.load(x);
          return 2;
        case 2:
          m.store(x, r.r + 1);
          return 3;
        default:
          m.unlock(lock);
          return DONE;
      }
    },
  });
  return algorithm({ memory, agents: crowd(agents, increment), invariants: [counted(x, agents)] });
}

/** readers(N): one agent stores to `x`, N load it. */
export function readers(count: number): AlgorithmProgram {
  const memory = new SharedMemory();
  const x = memory.words('x', 0);
  const store = machine({
    name: 'store',
    locals: [],
    rows: [['1', 'W x']],
    step(_, m) {
      m.store(x, 1);
      return DONE;
    },
  });
  const load = machine({
    name: 'load',
    locals: ['r'],
    results: ['r'],
    rows: [['1', 'R x']],
    step(r, m) {
      r.r = m.load(x);
      return DONE;
    },
  });
  return algorithm({ memory, agents: [agent('W', store), ...crowd(count, load)] });
}

/** lastzero(N): `i = N; while (a[i] != 0) i--` beside N agents, of which the j-th does `a[j] = a[j - 1] + 1`. */
export function lastzero(count: number): AlgorithmProgram {
  const memory = new SharedMemory();
  const a = memory.words('a', ...new Array<number>(count + 1).fill(0));
  const scan = machine({
    name: 'scan',
    locals: ['i'],
    results: ['i'],
    rows: [['1', 'R a[i]']],
    step(r, m) {
      if (m.load(a + r.i) === 0) return DONE;
      r.i--;
      return 0;
    },
  });
  const add = machine({
    name: 'add',
    locals: ['j', 'r'],
    rows: [
      ['1', 'R a[j - 1]'],
      ['2', 'W a[j]'],
    ],
    step(r, m) {
      switch (r.pc) {
        case 0:
          r.r = m.load(a + r.j - 1);
          return 1;
        default:
          m.store(a + r.j, r.r + 1);
          return DONE;
      }
    },
  });
  const adders = Array.from({ length: count }, (_, i) => agent(`T${i + 1}`, add, { j: i + 1 }));
  return algorithm({ memory, agents: [agent('S', scan, { i: count }), ...adders] });
}

/** As many agents who run the same, without arguments. */
function crowd<L extends string>(count: number, of: AlgorithmMachine<L>): AlgorithmAgent<L>[] {
  return Array.from({ length: count }, (_, i) => agent(`T${i + 1}`, of));
}

function counted(address: number, times: number): Invariant {
  return {
    name: 'lost-update',
    wrong: `x is not ${times} after ${times} increments`,
    when: 'end',
    holds: (view) => view.load(address) === times,
  };
}
