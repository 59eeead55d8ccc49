import { describe, expect, it } from 'vitest';
import { raceLog } from './race_log.js';
import { runP2m } from './run_p2m.js';

function at(...args: string[]): { stdout: string[]; stderr: string; code: number | null } {
  const { stdout, stderr, code } = runP2m(['at', raceLog(), ...args]);
  return { stdout: stdout.split('\n').slice(0, -1), stderr, code };
}

describe('p2m at', () => {
  it('prints the words as runs, then the leaves and PT pages, and says on stderr which moment it is', () => {
    expect(at('end')).toEqual({
      stdout: [
        'pfn [0x0,0x10) ram mfn 0x3e8',
        'pfn [0x10,0x13) invalid mfn 0xffffffffffffffff',
        'pfn [0x13,0x14) ram mfn 0x4e',
        'pfn [0x14,0x30) invalid mfn 0xffffffffffffffff',
        '# pfn [0x0,0x14) own pte_page=own_pte',
        '# pfn [0x14,0x20) missing pte_page=own_pte',
        '# pfn [0x20,0x24) own pte_page=p2m_missing_pte',
        '# pfn [0x24,0x30) missing pte_page=p2m_missing_pte',
      ],
      stderr: 'after event 98 (set_pte) of set_phys_to_machine 0x12, operation 5, on CPU 0\n',
      code: 0,
    });
  });

  it('shows what the events up to that one have made, and no more', () => {
    expect(at('88', '--pfn', '18-20').stdout[0]).toBe('pfn [0x12,0x14) invalid mfn 0xffffffffffffffff');
    expect(at('89', '--pfn', '18-20').stdout.slice(0, 2)).toEqual([
      'pfn [0x12,0x13) invalid mfn 0xffffffffffffffff',
      'pfn [0x13,0x14) ram mfn 0x4e',
    ]);
  });

  it('prints the debugfs text and the page tables by name', () => {
    expect(at('end', '--format', 'debugfs').stdout).toEqual([
      ' [0x0->0x10] pfn',
      ' [0x10->0x13] missing',
      ' [0x13->0x14] pfn',
      ' [0x14->0x30] missing',
    ]);
    expect(at('97', '--format', 'tree').stdout).toEqual([
      '  PT page [0, 2) pte#0',
      '  PT page [2, 3) missing_pte',
      '  leaf [0, 5) leaf#0',
      '  leaf [5, 12) missing',
      '  top [0, 2) mid#0',
      '  top [2, 4) mid_missing',
      '  mid_missing [0, 4) missing',
      '  mid#0 [0, 4) leaf#0',
      '  mid#1 [0, 1) leaf#4',
      '  mid#1 [1, 4) missing',
    ]);
  });

  it('gives all of it as one JSON object', () => {
    const { stdout, code } = at('end', '--pfn', '0x12-0x14', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout.join('\n'))).toMatchObject({
      moment: 99,
      events: 99,
      maxPfn: 48,
      runs: [
        { pfnStart: 18, pfnEnd: 19, kind: 'invalid', first: '0xffffffffffffffff' },
        { pfnStart: 19, pfnEnd: 20, kind: 'ram', first: '0x4e' },
      ],
      pages: [{ pfnStart: 18, pfnEnd: 20, kind: 'own', ptePage: 'own_pte' }],
      structure: { sharedIntact: false, top: [[0, 2, 'mid#0'], [2, 2, 'mid_missing']] }, // prettier-ignore
      globals: { xen_p2m_size: 48, p2m_update_lock: 1 },
    });
  });

  it.each([
    [['99'], 2, /^error: no such event in .*race\.jsonl: got 99, want at most 98\n/],
    [['later'], 2, /^error: bad moment: got "later", want start, end, an event/],
    [['1s'], 2, /race\.jsonl has no times: got 1s, want start, end or the number of an event/],
    [['end', '--pfn', '5-3'], 2, /^error: empty pfn range: got 5-3, want a half-open range A-B with A below B/],
    [['end', '--pfn', '0-0x100'], 2, /^error: pfn range end out of range: got 0x100, want below/],
    [['end', '--format', 'xml'], 2, /^error: unknown format: got "xml", want runs, debugfs or tree/],
    [['end', '--pfn', '0-4', '--format', 'tree'], 2, /^error: --pfn is of runs: got --format tree/],
    [['start'], 3, /race\.jsonl: no list stands at this moment: got start, want a moment behind the boot/],
    [[], 2, /^error: missing required argument 'moment'/],
  ])('refuses %j', (args, code, says) => {
    const run = at(...args);
    expect(run).toMatchObject({ stdout: [], code });
    expect(run.stderr).toMatch(says);
  });

  it('refuses what is no log, and one that is not there', () => {
    expect(runP2m(['at', 'package.json', 'end'])).toMatchObject({ stdout: '', code: 3 });
    expect(runP2m(['at', 'no.p2mlog', 'end']).stderr).toBe('error: no.p2mlog: cannot read: no such file\n');
  });
});
