/**
 * Explores a double-checked lazy initialisation: look, allocate, lock, look again, publish. Every interleaving of two
 * callers is gone through, with the second look and without it.
 *
 *     node dist/examples/double_checked.js
 */
import {
  agent,
  algorithm,
  countOutcomes,
  DONE,
  machine,
  SharedMemory,
  type AlgorithmMachine,
  type AlgorithmProgram,
  type Invariant,
  type Schedule,
} from 'xen-p2m/replay';

const memory = new SharedMemory();
/** Address of the object, once there is one. */
const slot = memory.words('slot', 0);
const lock = memory.lock('lock');

const G1 = 0;
const G2 = 1;
const G3 = 2;
const G4 = 3;
const G5 = 4;
const G6 = 5;

/** Finds the object or makes it, and leaves a mark of its own in it. */
function visitor(looksAgain: boolean): AlgorithmMachine<'me' | 'object' | 'mine'> {
  return machine({
    name: 'visit',
    locals: ['me', 'object', 'mine'],
    allocates: 2,
    rows: [
      ['G1', 'R slot'],
      ['G2', 'ALLOC, LOCK', lock],
      ['G3', 'R slot'],
      ['G4', 'W slot'],
      ['G5', 'UNLOCK'],
      ['G6', 'W object[me]'],
    ],
    step(r, m) {
      switch (r.pc) {
        case G1:
          r.object = m.load(slot);
          return r.object === 0 ? G2 : G6;
        case G2:
          r.mine = m.alloc(2);
          m.lock(lock);
          return looksAgain ? G3 : G4;
        case G3:
          r.object = m.load(slot);
          return r.object === 0 ? G4 : G5;
        case G4:
          r.object = r.mine;
          m.store(slot, r.object);
          return G5;
        case G5:
          m.unlock(lock);
          return G6;
        case G6:
        default:
          m.store(r.object + r.me, 1);
          return DONE;
      }
    },
  });
}

/** Two callers, whose marks must both be found at the end. */
function twoVisitors(looksAgain: boolean): AlgorithmProgram {
  const visit = visitor(looksAgain);
  const marksAreFound: Invariant = {
    name: 'marks-are-found',
    wrong: 'a mark is in an object that the slot does not name',
    when: 'end',
    holds: (view) => [0, 1].every((me) => view.load(view.load(slot) + me) === 1),
  };
  return algorithm({
    memory,
    agents: [agent('A', visit, { me: 0 }), agent('B', visit, { me: 1 })],
    invariants: [marksAreFound],
  });
}

/** The schedule as a table, a row a step. */
function table(program: AlgorithmProgram, schedule: Schedule): string {
  const rows = schedule.map((who) => {
    const { name } = program.agents[who]!;
    const [row] = program.tell(who);
    return `  ${name}  ${row!.label}  ${row!.does.padEnd(12)}  ${row!.effect}`.trimEnd();
  });
  schedule.forEach(() => {
    program.undo();
  });
  return rows.join('\n');
}

for (const looksAgain of [true, false]) {
  const program = twoVisitors(looksAgain);
  const counts = countOutcomes(program);
  if (!counts.complete) throw new Error('too many states to explore them all');
  const broken = counts.outcomes.filter((outcome) => outcome.broken !== 0);
  const violating = broken.reduce((sum, { count }) => sum + count, 0n);
  console.log(`${looksAgain ? 'with' : 'without'} the second look: ${counts.interleavings} interleavings,`);
  console.log(`  ${violating} of them break something (${counts.states} states, all explored)`);
  const [first] = broken.sort((a, b) => a.switches - b.switches);
  if (first === undefined) continue;
  console.log(`one with ${first.switches} switches:`);
  console.log(table(program, first.schedule));
  const check = program.checks.findIndex((_, i) => (first.broken & (1 << i)) !== 0);
  console.log(`  ${program.checks[check]!}: ${program.explain(check)}`);
}
