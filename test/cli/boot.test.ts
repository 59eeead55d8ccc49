import { describe, expect, it } from 'vitest';
import { runP2m, type Run } from './run_p2m.js';

const boot = (...args: string[]): Run => runP2m(['boot', '--nr-pages', '2049', ...args]);

describe('p2m boot', () => {
  it('runs the operations of its arguments', () => {
    const { stdout, stderr, code } = boot(
      'lookup 0x402',
      'set 0x402 m:77',
      'get 0x402',
      'set 0x1000 m:5',
      'dump 0x400-0x404',
    );
    expect(stdout.split('\n')).toEqual([
      'booted: kernel 7.0, x86_64, paged memory, nr_pages 0x801, xen_p2m_size 0x40000, max_pfn 0xa00',
      'lookup 0x402 -> m:2026',
      'set 0x402 m:77 -> true',
      'get 0x402 -> m:77',
      'set 0x1000 m:5 -> true',
      'dump 0x400-0x404 -> 3 runs',
      '  [0x400, 0x402) mfn m:2024',
      '  [0x402, 0x403) mfn m:77',
      '  [0x403, 0x404) mfn m:2027',
      '',
    ]);
    expect([stderr, code]).toEqual(['', 0]);
  });

  it('shows each step and each event as it happens', () => {
    const { stdout } = boot('--steps', '--events', 'set 0x402 m:77');
    const lines = stdout.split('\n').slice(1, -1);
    expect(lines[0]).toMatch(/^ {2}cpu0 {2}set_phys_to_machine {2}\S+ {2}\S/);
    const store = lines.findIndex((line) => /^ {4}#\d+ cpu0 op\d+ set_entry pfn=1026 .*new=0x4d$/.test(line));
    expect(lines[store - 1]).toMatch(/^ {2}cpu0 {2}__set_phys_to_machine {2}S2 /);
    expect(lines.at(-1)).toBe('set 0x402 m:77 -> true');
    expect(boot('set 0x402 m:77').stdout).not.toContain('cpu0');
  });

  it('gives a JSON object a line', () => {
    const { stdout, code } = boot('--json', 'set 0x402 m:77', 'lookup 0x402', 'alloc 0xffffffff');
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { operation: 'set 0x402 m:77', result: true },
      { operation: 'lookup 0x402', result: 'm:77' },
      { operation: 'alloc 0xffffffff', result: { bug: 'unmapped-entry' } },
    ]);
    expect(code).toBe(1);
  });

  it('exits 1 after a kernel assertion, and runs what follows', () => {
    const { stdout, code } = boot('alloc 0xffffffff', 'lookup 5');
    expect(stdout.split('\n').slice(1)).toEqual(['alloc 0xffffffff -> BUG unmapped-entry', 'lookup 5 -> m:1005', '']);
    expect(code).toBe(1);
  });

  it('runs a script from stdin up to its first bad line, which it names', () => {
    const script = '# notes and empty lines are passed over\n\nset 5 m:77\nlookup 5\nset 5 q:1\nlookup 6\n';
    const run = runP2m(['boot', '--nr-pages', '2049'], script);
    expect(run.stdout.split('\n').slice(1)).toEqual(['set 5 m:77 -> true', 'lookup 5 -> m:77', '']);
    expect(run.stderr.split('\n').slice(0, 2)).toEqual([
      'error: <stdin>:5: bad value: got "q:1", want ~, m:N, i:N, f:N or fi:N',
      '  set 5 q:1',
    ]);
    expect(run.code).toBe(3);
  });

  it('takes a dash for stdin, whose last line needs no newline', () => {
    const run = runP2m(['boot', '--nr-pages', '2049', '--json', '-'], 'lookup 5');
    expect(run).toEqual({ stdout: '{"operation":"lookup 5","result":"m:1005"}\n', stderr: '', code: 0 });
  });

  it('names the bad operation among its arguments', () => {
    const { stdout, stderr, code } = boot('lookup 5', 'set 5', 'lookup 6');
    expect(stdout).toContain('lookup 5 -> m:1005\n');
    expect(stdout).not.toContain('lookup 6');
    expect(stderr).toBe('error: wrong number of arguments to set: got 1, want set PFN VALUE\n  set 5\n');
    expect(code).toBe(2);
  });

  it.each([
    [['lookup 0x1000000000000000'], 'pfn out of range: got 0x1000000000000000, want below 4503599627370496 '],
    [['--kernel', '2.6'], 'unknown kernel form: got "2.6", want a kernel version from 3.16 on, or one of 3.16, '],
    [['--geometry', 'arm'], 'unknown geometry: got "arm", want x86_64, '],
    [['--geometry', 'x86_32'], 'this kernel has no 32-bit PV: got --kernel 7.0 --geometry x86_32, want '],
    [
      ['--kernel', '3.18', '--memory', 'flat'],
      'this kernel has no linear list: got --memory flat --kernel 3.18, want paged',
    ],
    [['--hole', '5-5'], 'empty hole: got 5-5, want a half-open range A-B'],
    [['--hole', '5-9', '--hole', '7-12'], 'holes overlap'],
  ])('refuses %j', (args, message) => {
    const { stderr, code } = boot(...args);
    expect(stderr).toContain(`error: ${message}`);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(code).toBe(2);
  });

  it.each(['0', '0x10000000000', 'ten'])('refuses %s pages', (pages) => {
    const { stdout, stderr, code } = runP2m(['boot', '--nr-pages', pages, 'state']);
    expect(stderr).toMatch(/^error: bad number of pages: got .*, want /);
    expect([stdout, code]).toEqual(['', 2]);
  });
});
