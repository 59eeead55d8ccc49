import { assert, EventBatch, mfnWord } from '../../events/index.js';
import {
  Cpu,
  Domain,
  formByKernel,
  GEOMETRIES,
  machinesOf,
  undo,
  type Form,
  type Geometry,
  type Machine,
  type Memory,
} from '../../src/index.js';
import { ModelPort } from '../../src/model_port.js';
import type { Work } from '../contest.js';
import * as generators from '../notation/generators.js';
import { Int32Cpu } from '../notation/int32_locals.js';
import * as rowTable from '../notation/row_table.js';

/** The notations, by their letters in docs/decisions/0001-notation.md. */
export type Notation = 'a' | 'b' | 'c' | 'd';

const PFNS = 2 ** 15;
const FIRST = 64;

/** Gives every leaf of a small list a first touch, one row after the other; answers with the number of rows. */
type Run = () => number;

/**
 * alloc_p2m for each leaf of an identity area, one call in four with alloc_p2m_pmd, in one notation. The pages are tiny,
 * so that it is the rows that are measured, and not the copying of pages. Before each run the last one is undone.
 */
export function notation(which: Notation): Work {
  const scene = newScene();
  const run = RUNS[which](scene);
  assertSameEvents(which, run, scene);
  return {
    prepare: () => takeBack(scene),
    run() {
      const count = run();
      return { count, check: scene.batch.length };
    },
  };
}

interface Scene {
  readonly form: Form;
  readonly geometry: Geometry;
  readonly memory: Memory;
  readonly batch: EventBatch;
  readonly port: ModelPort;
}

function newScene(): Scene {
  const form = formByKernel('7.0');
  const geometry = GEOMETRIES.tiny;
  const domain = new Domain({ form, geometry, nrPages: FIRST, p2mLimitPfns: PFNS });
  domain.boot(FIRST, [[FIRST, mfnWord(0x100), 1]]);
  domain.run('xen_pagetable_p2m_setup', domain.machines.xenPagetableP2mSetup, 0);
  domain.run('xen_build_mfn_list_list', domain.machines.xenBuildMfnListList, 0);
  domain.slabUp();
  const { memory } = domain;
  const batch = new EventBatch(2 ** 18);
  return { form, geometry, memory, batch, port: new ModelPort(memory, batch) };
}

const RUNS: Readonly<Record<Notation, (scene: Scene) => Run>> = {
  a: (scene) => machineRun(scene, machinesOf(scene.form).allocP2m),
  b: (scene) => machineRun(scene, rowTable.allocP2m),
  c({ port, form, geometry }) {
    const cpu = new Int32Cpu(port, form, geometry);
    return () => {
      let rows = 0;
      for (let pfn = FIRST; pfn < PFNS; pfn += geometry.perPage) {
        cpu.begin(pfn);
        while (cpu.running) {
          cpu.step();
          rows++;
        }
      }
      return rows;
    };
  },
  d({ port, form, geometry }) {
    return () => {
      let rows = 0;
      for (let pfn = FIRST; pfn < PFNS; pfn += geometry.perPage) {
        const call = generators.allocP2m(port, form, geometry, pfn);
        while (call.next().done !== true) rows++;
      }
      return rows;
    };
  },
};

function machineRun({ port, form, memory, geometry }: Scene, machine: Machine): Run {
  const cpu = new Cpu(port, form, machinesOf(form), memory);
  return () => {
    let rows = 0;
    for (let pfn = FIRST; pfn < PFNS; pfn += geometry.perPage) {
      cpu.begin(machine, pfn);
      while (cpu.state === 'running') {
        cpu.step();
        rows++;
      }
    }
    return rows;
  };
}

function takeBack({ memory, batch }: Scene): void {
  for (let i = batch.length - 1; i >= 0; i--) undo(memory, batch, i);
  batch.clear();
}

/** All notations must do the same: their events are those of (a), one for one. */
function assertSameEvents(which: Notation, run: Run, scene: Scene): void {
  const reference = newScene();
  const rows = RUNS.a(reference)();
  assert(run() === rows, `notation (${which}) takes another number of rows than (a)`);
  assert(scene.batch.length === reference.batch.length, `notation (${which}) has another number of events than (a)`);
  for (const column of ['kind', 'a', 'b', 'c', 'd', 'e'] as const) {
    const got = scene.batch[column];
    const want = reference.batch[column];
    for (let i = 0; i < reference.batch.length; i++) {
      assert(got[i] === want[i], `notation (${which}): event ${i} differs from (a) in column ${column}`);
    }
  }
  takeBack(scene);
}
