import { describe, expect, it } from 'vitest';
import { mfnWord } from '../../../events/index.js';
import { findings, linesWith, replay, withLines } from './recordings.js';
import { ALL_PROBES, RecordingMaker, type Call, type Probes, type TaskOf } from './small_recording.js';

const GNT: TaskOf = { comm: 'gnt', pid: 71, cpu: 0 };
const BALLOON: TaskOf = { comm: 'xen-balloon', pid: 41, cpu: 1 };
/** In a shared leaf: the first store there needs an allocation. */
const FRESH = 2048;
const LOG = 'trace.txt';

/** Writes the first `lines` lines of a call, and gives back the rest of it. */
function begin(maker: RecordingMaker, task: TaskOf, call: Call, lines: number): Generator<void, void, void> {
  const rest = maker.run(task, call);
  for (let i = 0; i < lines; i++) rest.next();
  return rest;
}

/** Writes all lines of a call that are left. */
function finish(rest: Generator<void, void, void>): void {
  while (rest.next().done !== true);
}

const OK = { verdict: 'ok', exitCode: 0, found: [] };

describe('Replayer', () => {
  it.each([1, 2, 3, 4, 5, 6, 7])(
    'lets an interrupt look up and map grants after line %i of a first store',
    async (lines) => {
      const maker = new RecordingMaker();
      const rest = begin(maker, GNT, { op: 'set', pfn: FRESH, value: mfnWord(7) }, lines);
      finish(maker.run(GNT, { op: 'get', pfn: 5 }));
      finish(maker.run(GNT, { op: 'map', pfns: [3, FRESH + 512], mfn: 9 }));
      finish(rest);
      const report = await replay(maker.files());
      expect(findings(report)).toEqual(OK);
      expect(report.operations).toEqual({ set_phys_to_machine: 1 });
    },
  );

  it('lets an interrupt look up another INVALID pfn between the look-up and the store of a grant', async () => {
    const maker = new RecordingMaker();
    const rest = begin(maker, GNT, { op: 'map', pfns: [3, 6], mfn: 9 }, 3);
    finish(maker.run(GNT, { op: 'get', pfn: 9 }));
    finish(maker.run(GNT, { op: 'get', pfn: 5 }));
    finish(rest);
    expect(findings(await replay(maker.files()))).toEqual(OK);
  });

  it('tells a grant operation that stores where it has not looked', async () => {
    const maker = new RecordingMaker();
    finish(maker.run(GNT, { op: 'map', pfns: [3], mfn: 9 }));
    const looks = /get_phys_to_machine/;
    const files = withLines(maker.files(), LOG, (lines) =>
      // Another look-up stands there instead: the pfn after it.
      lines.map((line) => (looks.test(line) ? line.replace('pfn=0x3', 'pfn=0x6') : line)),
    );
    expect(findings(await replay(files)).found).toEqual([
      expect.stringMatching(/^8 __set_phys_to_machine step 0x3: .*, not a pfn that a look-up has found INVALID$/),
    ]);
  });

  it('ends a grant operation without a return probe where it has stored for all its slots', async () => {
    const returns = new Set(ALL_PROBES.returns);
    returns.delete('set_foreign_p2m_mapping');
    const probes: Probes = { entries: ALL_PROBES.entries, returns };
    const maker = new RecordingMaker(probes);
    finish(maker.run(GNT, { op: 'map', pfns: [3, FRESH], mfn: 9 }));
    finish(maker.run(BALLOON, { op: 'set', pfn: 5, value: mfnWord(7) }));
    finish(maker.run(GNT, { op: 'set', pfn: 6, value: mfnWord(8) }));
    const report = await replay(maker.files());
    expect(report).toMatchObject({
      verdict: 'ok',
      operations: { set_foreign_p2m_mapping: 1, set_phys_to_machine: 2 },
      unchecked: { returns: 1 },
      overlaps: 0,
    });
  });

  it('counts an overlap only while a call is open whose return the log has', async () => {
    const maker = new RecordingMaker();
    const rest = begin(maker, GNT, { op: 'set', pfn: FRESH, value: mfnWord(7) }, 3);
    finish(maker.run(BALLOON, { op: 'get', pfn: 5 }));
    finish(rest);
    finish(maker.run(BALLOON, { op: 'get', pfn: 5 }));
    expect(await replay(maker.files())).toMatchObject({ verdict: 'ok', overlaps: 1 });
    const unreturned = withLines(maker.files(), LOG, (lines) => lines.filter((line) => !/_ret: |^# ent/.test(line)));
    expect(await replay(unreturned)).toMatchObject({ verdict: 'ok', overlaps: 0 });
  });

  it('counts the lines that have the time of the line before, on another CPU', async () => {
    const maker = new RecordingMaker();
    finish(maker.run(GNT, { op: 'get', pfn: 5 }));
    finish(maker.run(BALLOON, { op: 'get', pfn: 5 }));
    finish(maker.run(GNT, { op: 'get', pfn: 5 }));
    const files = withLines(maker.files(), LOG, (lines) =>
      lines.map((line) => line.replace(/ \d\.\d{6}: /, ' 7.000000: ')),
    );
    expect(await replay(files)).toMatchObject({ verdict: 'ok', ties: 2 });
  });

  it.each([
    ['an allocation', 'xen_alloc_p2m_entry', 'pfn'],
    ['the second store', '__set_phys_to_machine', 'mfn'],
    ['the second store', '__set_phys_to_machine', 'pfn'],
  ])('tells %s inside a first store whose %s has another %s', async (_, event, what) => {
    const maker = new RecordingMaker();
    finish(maker.run(GNT, { op: 'set', pfn: FRESH, value: mfnWord(7) }));
    const line = linesWith(maker.files(), LOG, new RegExp(`: ${event}: `)).at(-1)!;
    const files = withLines(maker.files(), LOG, (lines) => {
      lines[line - 1] = lines[line - 1]!.replace(new RegExp(`${what}=0x[0-9a-f]+`), `${what}=0x9`);
      return lines;
    });
    expect(findings(await replay(files))).toMatchObject({ verdict: 'violated', exitCode: 1 });
    expect((await replay(files)).divergences).toMatchObject([{ line, operation: `${event} ${what}`, actual: '0x9' }]);
  });

  it('tells the steps of a first store that the model finds needless', async () => {
    const maker = new RecordingMaker();
    finish(maker.run(GNT, { op: 'set', pfn: FRESH, value: mfnWord(7) }));
    // The log says the same of a pfn whose leaf is private.
    const files = withLines(maker.files(), LOG, (lines) => lines.map((line) => line.replace('pfn=0x800', 'pfn=0x5')));
    const report = await replay(files);
    const first = linesWith(files, LOG, /__set_phys_to_machine_ret: .*ret=0/)[0]!;
    expect(report).toMatchObject({ verdict: 'violated', exitCode: 1 });
    expect(report.divergences[0]).toMatchObject({ line: first, expected: '1', actual: '0' });
  });
});
