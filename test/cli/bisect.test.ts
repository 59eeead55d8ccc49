import { describe, expect, it } from 'vitest';
import { firstEvents, raceLog } from './race_log.js';
import { runP2m } from './run_p2m.js';

function bisect(...args: string[]): { stdout: string[]; stderr: string; code: number | null } {
  const { stdout, stderr, code } = runP2m(['bisect', raceLog(), ...args]);
  return { stdout: stdout.split('\n').slice(0, -1), stderr, code };
}

describe('p2m bisect --check INVARIANT', () => {
  it('tells the event that broke it, its operation, and the command that shows it', () => {
    expect(bisect('--check', 'shared-pte-page-written')).toEqual({
      stdout: [
        'broken: shared-pte-page-written, first after event 98',
        '  p2m_missing_pte[0] now names leaf 27 instead of p2m_missing: a store through it changes every area still mapped by p2m_missing_pte',
        'event: event 98 (set_pte) of set_phys_to_machine 0x12, operation 5, on CPU 0',
        '        set_pte pfn=18 page=15 old=13:ro new=27:rw',
        'before: pfn 0x12 reads ~',
        'after:  pfn 0x12 reads ~',
        expect.stringMatching(/^p2m show .*race\.jsonl 98$/),
      ],
      stderr: '',
      code: 1,
    });
  });

  it('gives the event and its operation as JSON', () => {
    const { stdout, code } = bisect('--check', 'shared-pte-page-written', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout.join('\n'))).toMatchObject({
      check: 'shared-pte-page-written',
      verdict: 'broken',
      seq: 98,
      decidedAt: 98,
      event: { seq: 98, kind: 'set_pte', page: 15 },
      operation: { op: 5, name: 'set_phys_to_machine', call: 68, pfn: 18, value: '0x4d' },
      exitCode: 1,
    });
  });

  it('says that it is never broken', () => {
    const { stdout, code } = bisect('--check', 'shared-leaf-written');
    expect({ stdout, code }).toEqual({
      stdout: ['never broken: shared-leaf-written, after none of 99 events'],
      code: 0,
    });
  });

  it('cannot tell where operations are in the middle, or no list is built', () => {
    const halfway = runP2m(['bisect', raceLog(firstEvents(96)), '--check', 'leak']);
    expect(halfway.code).toBe(4);
    expect(halfway.stdout).toMatch(/^cannot tell: the log ends in the middle of 1 operation, /);
    const noBoot = raceLog(firstEvents(2));
    expect(runP2m(['bisect', noBoot, '--check', 'leak'])).toMatchObject({
      stdout: 'cannot tell: the log has no list that stands: its boot is missing\n',
      code: 4,
    });
  });
});

describe('p2m bisect --command', () => {
  it('finds the event after which it is bad, as the list on its stdin shows', () => {
    const run = bisect('--command', '! grep -q "ram mfn 0x4e"');
    expect(run.code).toBe(1);
    expect(run.stdout.slice(0, 5)).toEqual([
      'broken: ! grep -q "ram mfn 0x4e", first after event 89',
      expect.stringMatching(/^ {2}the command is bad from here on \(\d runs; taken for granted/),
      'event: event 89 (set_entry) of set_phys_to_machine 0x13, operation 6, on CPU 1',
      '        set_entry pfn=19 page=16438 old=0xffffffffffffffff new=0x4e',
      'before: pfn 0x13 reads ~',
    ]);
  });

  it('takes a --check of more than a word for one, and finds the event by its number in P2M_SEQ', () => {
    const { stdout, code } = bisect('--check', 'test $P2M_SEQ -lt 42', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout.join('\n'))).toMatchObject({ check: 'test $P2M_SEQ -lt 42', verdict: 'broken', seq: 42 });
  });

  it('passes over moments that it cannot judge, and says so where they hide the event', () => {
    const skips = (from: number): string => `[ $P2M_SEQ -ge ${from} -a $P2M_SEQ -lt 89 ] && exit 125; `;
    const hidden = bisect('--command', `${skips(80)}test $P2M_SEQ -lt 85`);
    expect(hidden.code).toBe(4);
    expect(hidden.stdout[0]).toMatch(
      /^cannot tell: first bad is one of events 80 to 89: the command cannot tell between/,
    );
    expect(bisect('--command', `${skips(80)}test $P2M_SEQ -lt 30`).stdout[0]).toMatch(/first after event 30$/);
  });

  it('looks between --good and --bad alone', () => {
    // Bad before the boot has built a list, too.
    const command = 'grep -q "pfn .0x10,0x30. invalid"';
    expect(bisect('--command', command).stdout[0]).toMatch(
      /^cannot tell: the first moment \(0 events\) is bad already/,
    );
    const run = bisect('--command', command, '--good', '69', '--bad', '97');
    expect(run.stdout[0]).toBe(`broken: ${command}, first after event 89`);
    expect(bisect('--command', command, '--good', '69', '--bad', '80').code).toBe(0);
  });

  it.each([
    ['kill -9 $$', 'the command has not judged: got SIGKILL, want exit 0 to 127'],
    ['exit 200', 'the command has not judged: got exit 200, want exit 0 to 127'],
  ])('gives up where it does not judge: %s', (command, says) => {
    const run = bisect('--command', command);
    expect(run).toMatchObject({ stdout: [], code: 3 });
    expect(run.stderr).toContain(says);
  });

  it('lets it write on stderr alone', () => {
    const run = bisect('--command', 'echo judging');
    expect(run.stdout).toHaveLength(1);
    expect(run.stderr).toBe('judging\n');
  });
});

describe('p2m bisect', () => {
  it.each([
    [[], 'nothing to look for: got neither, want --check or --command'],
    [['--check', 'leak', '--command', 'true'], 'nothing to look for: got both, want --check or --command'],
    [['--check', 'lek'], 'unknown invariant: got "lek", want BUG_ON, shared-pte-page-written,'],
    [['--check', 'leak', '--good', '3'], '--good and --bad are of a command: got --check leak, want --command'],
    [['--command', 'true', '--good', '99'], 'no such event in '],
    [['--command', 'true', '--good', '5', '--bad', '4'], '--good is behind --bad: got 5, want a moment before it'],
  ])('refuses %j', (args, says) => {
    const run = bisect(...args);
    expect(run).toMatchObject({ stdout: [], code: 2 });
    expect(run.stderr).toContain(says);
  });

  it('refuses what is no log', () => {
    expect(runP2m(['bisect', 'package.json', '--check', 'leak'])).toMatchObject({ stdout: '', code: 3 });
  });
});
