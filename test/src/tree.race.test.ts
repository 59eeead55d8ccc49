import { describe, expect, it } from 'vitest';
import { Global, INVALID, KINDS, mfnWord, Role, type Word } from '../../events/index.js';
import { Domain, formByKernel, GEOMETRIES, lookUp, mutant, undo, type Form, type Outcome } from '../../src/index.js';
import { FIRST_MFN, set, treeDomain } from './tree_domain.js';

/** One set_phys_to_machine a CPU, the frames as plain mfns. */
type Calls = readonly (readonly [pfn: number, mfn: number])[];
/** Picks the CPU of the next step among those that run. */
type Pick = (step: number, running: readonly number[]) => number;

const SET = 'set_phys_to_machine';
const T16 = formByKernel('3.16');
const T18 = formByKernel('3.18');

function begin(d: Domain, calls: Calls): Word[] {
  return calls.map(([pfn, mfn], cpu) => {
    const value = d.memory.codec.parse(`m:${mfn}`);
    d.begin(SET, d.machines.setPhysToMachine, pfn, value, 0, cpu);
    return value;
  });
}

/** Steps `cpu` until the row that it runs next does `what`. */
function upTo(d: Domain, cpu: number, what: string): void {
  while (d.cpus[cpu]!.row.does !== what) d.cpus[cpu]!.step();
}

/** Runs one CPU to its end and says how its call ended. */
function finish(d: Domain, cpu: number): Outcome {
  d.cpus[cpu]!.run();
  return d.end(SET, cpu);
}

/** Whether a step of `cpu` would do something: it is not at its end, nor waiting for the lock. */
function mayRun(d: Domain, cpu: number): boolean {
  const { state } = d.cpus[cpu]!;
  return state === 'running' && (d.cpus[cpu]!.row.step !== 'lock' || d.global(Global.p2m_update_lock) === 0);
}

/** One run, taken back afterwards: what was wrong with it, and how many rows it took. */
function interleave(d: Domain, calls: Calls, pick: Pick): [flags: string[], steps: number] {
  const before = d.batch.length;
  const values = begin(d, calls);
  const { cpus } = d;
  // A bug ends the run, as in the kernel.
  let steps = 0;
  for (; !cpus.some((cpu) => cpu.state === 'bug'); steps++) {
    const running = calls.flatMap((_, cpu) => (mayRun(d, cpu) ? [cpu] : []));
    if (running.length === 0) break;
    cpus[pick(steps, running)]!.step();
  }
  const bug = cpus.find((cpu) => cpu.state === 'bug');
  const flags = bug === undefined ? violations(d, calls, values, before) : [bug.bugHit];
  // The other CPU is run out, so that it is free for the next schedule; then all of it is taken back.
  cpus.forEach((cpu) => cpu.run());
  for (let i = d.batch.length - 1; i >= before; i--) undo(d.memory, d.batch, i);
  d.batch.truncate(before);
  return [flags, steps];
}

/** What is wrong at the end of a run, each finding once. */
function violations(d: Domain, calls: Calls, values: readonly Word[], before: number): string[] {
  const { memory, batch, geometry: g } = d;
  const found = new Set<string>();
  calls.forEach(([pfn], cpu) => {
    const said = d.cpus[cpu]!.result === 1;
    if (!said) found.add('false without need');
    if (said && lookUp(memory, pfn) !== values[cpu]) found.add('lost update');
    if (d.global(Global.p2m_top_mfn) !== 0 && toolsLeaf(d, pfn) !== treeLeaf(d, pfn)) found.add('tools miss the leaf');
  });
  const linked = new Set<number>();
  for (let pfn = 0; pfn < g.maxP2mPfn && d.form.structure === 'tree'; pfn += g.perPage) linked.add(treeLeaf(d, pfn));
  for (let i = before; i < batch.length; i++) {
    const page = batch.a[i]!;
    const stored = batch.kind[i] === KINDS.set_mid_mfn.id || batch.kind[i] === KINDS.set_mid.id;
    if (stored && memory.isFreed(page)) found.add('freed page written');
    if (batch.kind[i] !== KINDS.alloc_page.id || batch.b[i] !== Role.leaf || linked.size === 0) continue;
    if (!linked.has(page) && !memory.isFreed(page)) found.add('leak');
  }
  return [...found].sort();
}

function treeLeaf({ memory, geometry: g }: Domain, pfn: number): number {
  const mid = memory.loadWord(memory.words[Global.p2m_top]!, Math.floor(pfn / g.pfnsPerMidPage));
  return memory.loadWord(mid, Math.floor(pfn / g.perPage) % g.midPerPage);
}

function toolsLeaf({ memory, geometry: g }: Domain, pfn: number): number {
  const mid = memory.loadWord(memory.words[Global.p2m_top_mfn]!, Math.floor(pfn / g.pfnsPerMidPage));
  return memory.loadWord(mid, Math.floor(pfn / g.perPage) % g.midPerPage);
}

/**
 * What all schedules with at most two preemptions come to: the findings, each once. `first` begins, the other CPU has the
 * steps from a to b; where that is beyond the end of the run, so is everything after it.
 */
function explore(d: Domain, calls: Calls): string[] {
  const found = new Set<string>();
  for (const first of [0, 1]) {
    for (let a = 0, more = true; more; a++) {
      for (let b = a; ; b++) {
        const [flags, steps] = interleave(d, calls, (step, running) => {
          const wanted = step >= a && step < b ? 1 - first : first;
          return running.includes(wanted) ? wanted : running[0]!;
        });
        flags.forEach((flag) => found.add(flag));
        if (a >= steps) more = false;
        if (b >= steps) break;
      }
    }
  }
  return [...found].sort();
}

/** Both pfns in one missing leaf, whose mid pages stand: only the leaf is raced for. */
const LEAF: Calls = [
  [13, 7],
  [14, 8],
];
const leafRace = (kernel: Form): Domain => treeDomain({ kernel, nrPages: 4, cpus: 2 });

describe('B0a: the compare value is read again', () => {
  it('3.16 replaces the leaf that another CPU has just installed, entries and all', () => {
    const d = leafRace(T16);
    begin(d, LEAF);
    upTo(d, 0, 'R mid[mididx] again');
    expect(finish(d, 1)).toEqual({ kind: 'bool', value: 1 });
    expect(d.memory.codec.format(lookUp(d.memory, 14))).toBe('m:8');
    const theirs = treeLeaf(d, 14);
    expect(finish(d, 0)).toEqual({ kind: 'bool', value: 1 });
    expect([13, 14].map((pfn) => d.memory.codec.format(lookUp(d.memory, pfn)))).toEqual(['m:7', '~']);
    expect(treeLeaf(d, 14)).not.toBe(theirs);
    expect(d.memory.isFreed(theirs)).toBe(false);
  });

  it('with the value read twice some schedule loses an update and leaks a leaf', () => {
    // The tools miss it where CPU1 writes its mfn after CPU0 has replaced its leaf.
    const wrong = ['leak', 'lost update', 'tools miss the leaf'];
    expect(explore(leafRace(T16), LEAF)).toEqual(wrong);
    expect(explore(leafRace(mutant(T18, 'treeLeafReadOnce')), LEAF)).toEqual(wrong);
  });

  it('with the value read once none does', () => {
    expect(explore(leafRace(T18), LEAF)).toEqual([]);
    expect(explore(leafRace(mutant(T16, 'treeLeafReadOnce')), LEAF)).toEqual([]);
  });
});

/** Pfns in two leaves of a mid page that the kernel has and the tools have not: a set whose second allocation failed. */
const MID_MFN: Calls = [
  [17, 7],
  [30, 8],
];
function midMfnRace(kernel: Form): Domain {
  const d = treeDomain({ kernel, nrPages: 4, cpus: 2 });
  d.armFailure(2, 0);
  expect(set(d, 20, 'm:1')).toEqual({ kind: 'bool', value: 0 });
  return d;
}

/**
 * The assertion A4.2 compares two words that A4.4 and A4.5 write one after the other: whoever looks between them dies.
 * Nothing of B0b or B0c: no form has it mended.
 */
const A4_2 = 'top-mfn-mismatch';

describe("B0b: the loser of the tools' mid page goes on with the page that it freed", () => {
  it("3.16 writes the leaf's mfn into the freed page, and the tools miss the leaf", () => {
    const d = midMfnRace(T16);
    begin(d, MID_MFN);
    upTo(d, 0, 'CAS p2m_top_mfn[top]');
    const own = d.cpus[0]!.top.midMfn;
    expect(finish(d, 1)).toEqual({ kind: 'bool', value: 1 });
    expect(finish(d, 0)).toEqual({ kind: 'bool', value: 1 });
    expect(d.memory.isFreed(own)).toBe(true);
    expect(d.memory.loadWord(own, 0)).toBe(treeLeaf(d, 17));
    expect(toolsLeaf(d, 17)).toBe(d.global(Global.p2m_missing));
    expect(toolsLeaf(d, 30)).toBe(treeLeaf(d, 30));
  });

  it("without the winner's page some schedule hides a leaf from the tools", () => {
    const wrong = ['freed page written', 'tools miss the leaf', A4_2];
    expect(explore(midMfnRace(T16), MID_MFN)).toEqual(wrong);
    expect(explore(midMfnRace(mutant(T18, 'treeMidMfnLoserUsesWinner')), MID_MFN)).toEqual(wrong);
  });

  it("with the winner's page none does", () => {
    expect(explore(midMfnRace(T18), MID_MFN)).toEqual([A4_2]);
    expect(explore(midMfnRace(mutant(T16, 'treeMidMfnLoserUsesWinner')), MID_MFN)).toEqual([A4_2]);
  });
});

/** Pfns in two leaves of a mid page that nobody has. */
const MID = MID_MFN;
/** The same without the tools' tree, so that A4.2 ends no run. */
const midRace = (kernel: Form): Domain => treeDomain({ kernel, nrPages: 4, cpus: 2, tools: false });

describe('B0c: the loser of the mid page goes on with the page that it freed', () => {
  it.each([T16, T18])('$name installs its leaf there, tells the tools of it, and the set answers false', (form) => {
    const d = treeDomain({ kernel: form, nrPages: 4, cpus: 2 });
    begin(d, MID);
    upTo(d, 0, 'CAS p2m_top[top]');
    const own = d.cpus[0]!.top.mid;
    expect(finish(d, 1)).toEqual({ kind: 'bool', value: 1 });
    expect(finish(d, 0)).toEqual({ kind: 'bool', value: 0 });
    expect(d.memory.isFreed(own)).toBe(true);
    const leaf = d.memory.loadWord(own, 0);
    expect(d.memory.role(leaf)).toBe(Role.leaf);
    expect(d.memory.isFreed(leaf)).toBe(false);
    expect(toolsLeaf(d, 17)).toBe(leaf);
    expect(treeLeaf(d, 17)).toBe(d.global(Global.p2m_missing));
    expect(d.memory.codec.format(lookUp(d.memory, 17))).toBe('~');
  });

  it.each([T16, T18])('$name has schedules that lose a leaf so', (form) => {
    expect(explore(midRace(form), MID)).toEqual(['false without need', 'freed page written', 'leak']);
  });

  it('where the mid page stands no schedule does', () => {
    const d = midRace(T18);
    expect(set(d, 20, 'm:1')).toEqual({ kind: 'bool', value: 1 });
    expect(explore(d, MID)).toEqual([]);
  });

  it('the linear list, where the code is gone, answers true to the same calls in every schedule', () => {
    expect(explore(linearDomain(), MID)).toEqual([]);
  });
});

/** A linear list whose second mid page is all missing, behind a shared PT page. */
function linearDomain(): Domain {
  const d = new Domain({
    form: formByKernel('3.19.8'),
    geometry: GEOMETRIES.tiny,
    nrPages: 32,
    cpus: 2,
    sparePages: 64,
  });
  d.boot(32, [
    [4, mfnWord(FIRST_MFN), 1],
    [28, INVALID, 0],
  ]);
  d.run('xen_vmalloc_p2m_tree', d.machines.xenVmallocP2mTree, 0);
  d.slabUp();
  return d;
}

describe('setPhysToMachineNoAlloc', () => {
  it.each([
    [13, 'CAS mid[mididx]'],
    [21, 'CAS p2m_top[top]'],
  ])('warns where another CPU has made pfn %i its own first, and answers true all the same', (pfn, race) => {
    const d = leafRace(T18);
    const identity = d.memory.codec.identityOf(pfn);
    d.begin('__set_phys_to_machine', d.machines.setPhysToMachineNoAlloc, pfn, identity, 0, 0);
    upTo(d, 0, race);
    expect(d.run(SET, d.machines.setPhysToMachine, pfn, d.memory.codec.parse('m:9'), 0, 1).kind).toBe('bool');
    const before = d.batch.length;
    d.cpus[0]!.run();
    expect(d.end('__set_phys_to_machine', 0)).toEqual({ kind: 'bool', value: 1 });
    const warned = Array.from(d.batch.kind.subarray(before, d.batch.length)).filter((k) => k === KINDS.warn.id);
    expect(warned).toHaveLength(1);
    expect(d.memory.codec.format(lookUp(d.memory, pfn))).toBe('m:9');
  });

  it('does not warn where it is alone', () => {
    const d = leafRace(T18);
    const before = d.batch.length;
    expect([set(d, 13, 'i:13'), set(d, 21, 'i:21')]).toEqual(Array(2).fill({ kind: 'bool', value: 1 }));
    expect(d.batch.kind.subarray(before, d.batch.length)).not.toContain(KINDS.warn.id);
  });
});
