import { describe, expect, it } from 'vitest';
import { Locals, LOCALS_COUNT } from '../../src/index.js';
import { shippedVector } from './concurrency_vector.js';
import { bootScenario } from '../../replay/scenario/scenario_domain.js';

const { scenario } = shippedVector('sl-missing-pmd-same-pfn.7.0');

describe('Locals', () => {
  it('are all saved and loaded, whatever locals there are', () => {
    const domain = bootScenario(scenario);
    const { allocP2m } = domain.machines;
    const locals = new Locals(allocP2m);
    const names = Object.keys(locals).filter((name) => name !== 'machine');
    names.forEach((name, i) => Object.assign(locals, { [name]: 2 ** 40 + i }));
    const saved = new Float64Array(LOCALS_COUNT + 1);
    locals.save(saved, 1);
    const loaded = new Locals(domain.machines.pfnToMfn);
    loaded.load(allocP2m, saved, 1);
    expect(loaded).toEqual(locals);
    expect(names).toHaveLength(LOCALS_COUNT);
  });
});

describe('Cpu', () => {
  it('goes on from an image as it would have gone on, from any row', () => {
    const labels = (from: number): string[] => {
      const domain = bootScenario(scenario);
      domain.hold();
      const cpu = domain.cpus[0]!;
      cpu.begin(domain.machines.setPhysToMachine, 262149, domain.memory.codec.parse('m:77'));
      for (let i = 0; i < from; i++) cpu.step();
      const [image, events] = [cpu.image(), domain.batch.length];
      cpu.run();
      domain.rewind(events, domain.ops);
      cpu.restore(image);
      const seen: string[] = [];
      while (cpu.state === 'running') {
        seen.push(cpu.row.label);
        cpu.step();
      }
      return [...seen, `${cpu.state} ${cpu.result}`];
    };
    const all = labels(0);
    expect(all.length).toBeGreaterThan(30);
    for (let from = 0; from < all.length; from++) expect(labels(from)).toEqual(all.slice(from));
  });

  it('is what it was after an operation that ended in an assertion', () => {
    const domain = bootScenario(scenario);
    const cpu = domain.cpus[0]!;
    const idle = cpu.image();
    cpu.bug('unmapped-entry', 1);
    const died = cpu.image();
    cpu.restore(idle);
    expect([cpu.state, cpu.bugHit, cpu.calls]).toEqual(['idle', 'none', []]);
    cpu.restore(died);
    expect([cpu.state, cpu.bugHit]).toEqual(['bug', 'unmapped-entry']);
  });
});
