import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Clock, commOf, commText, mfnWord, viewEvent, type EventBatch, type P2mEvent } from '../../events/index.js';
import { NOBODY, type Behalf } from '../../src/index.js';
import { bootEngine } from '../../src/ready_engine.js';
import { Domain } from '../../src/domain.js';
import { GEOMETRIES } from '../../src/geometry.js';
import { formByKernel } from '../../src/forms.js';

const NAMES = ['', 'xenballoond', 'kworker/0:1'];

function behalfOf(name: string, pid: number, time: number): Behalf {
  return { ...NOBODY, pid, comm: commOf(new TextEncoder().encode(name)), clock: Clock.ns, time };
}

function viewed(batch: EventBatch, domain: Domain): P2mEvent[] {
  return Array.from({ length: batch.length }, (_, i) => viewEvent(batch, i, domain.memory.codec));
}

describe('Domain.rewind', () => {
  it('leaves a log that names the right task and time of every operation', () => {
    const act = fc.record({
      cpu: fc.nat(1),
      name: fc.constantFrom(...NAMES),
      pid: fc.nat(2),
      back: fc.option(fc.nat(5), { freq: 3 }),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const domain = new Domain({ form: formByKernel('6.1'), geometry: GEOMETRIES.tiny, nrPages: 8, cpus: 2 });
        domain.hold();
        const moments: { events: number; ops: number; expected: string[] }[] = [];
        let expected: string[] = [];
        acts.forEach(({ cpu, name, pid, back }, time) => {
          const moment = back === null ? undefined : moments[moments.length - 1 - back];
          if (moment !== undefined) {
            domain.rewind(moment.events, moment.ops);
            expected = [...moment.expected];
            moments.length = moments.indexOf(moment);
          }
          moments.push({ events: domain.batch.length, ops: domain.ops, expected: [...expected] });
          const { pfnToMfnRaw } = domain.machines;
          domain.run('__pfn_to_mfn', pfnToMfnRaw, 1, 0, 0, cpu, 0, behalfOf(name, pid, time));
          expected.push(`${name}-${pid} ${time}`);
        });
        const tasks = new Map<number, string>();
        const times = new Map<number, number>();
        const told: string[] = [];
        for (const event of viewed(domain.batch, domain)) {
          if (event.kind === 'task') tasks.set(event.cpu, `${event.comm}-${event.pid}`);
          if (event.kind === 'origin') times.set(event.op, event.time);
          if (event.kind === 'call') told.push(`${tasks.get(event.cpu) ?? '-0'} ${times.get(event.op)}`);
        }
        expect(told).toEqual(expected);
      }),
    );
  });
});

describe('Engine.execute', () => {
  it('says in the log who asked, and when', async () => {
    const events: P2mEvent[] = [];
    let now = 2 ** 40;
    const e = bootEngine({ geometry: 'tiny', nrPages: 32, holes: [{ pfnStart: 8, pfnEnd: 16 }], clock: () => now++ });
    await e.flush();
    e.events$.subscribe((batch) => {
      for (let i = 0; i < batch.length; i++) events.push(viewEvent(batch, i, e.codec));
    });
    await e.execute({ operation: 'set_phys_to_machine', pfn: 8, value: mfnWord(77) }, 'a balloon of a long name');
    await e.execute({ operation: 'set_phys_to_machine', pfn: 9, value: mfnWord(78) });
    const said = events.flatMap((event): (string | number)[] =>
      event.kind === 'task' ? [event.comm] : event.kind === 'origin' ? [event.time] : [],
    );
    const cut = commText(commOf(new TextEncoder().encode('a balloon of a l')));
    expect(said).toEqual([cut, 2 ** 40, '', 2 ** 40 + 1]);
  });

  it('refuses a time that is none, and has run nothing', async () => {
    const e = bootEngine({ geometry: 'tiny', nrPages: 32, clock: () => 0.5 });
    const before = e.entryOf(1);
    await expect(e.execute({ operation: 'set_phys_to_machine', pfn: 1, value: 'm:5' })).rejects.toThrow(/bad time/);
    expect(e.entryOf(1)).toBe(before);
  });
});
