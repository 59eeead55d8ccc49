import { describe, expect, it } from 'vitest';
import { plotTable } from '../../bench/plot.js';
import type { JudgedRow, TableReport } from '../../bench/run_table.js';

const spreadOf = (median: number) => ({ median, min: median / 2, max: median * 2 });
const rows: JudgedRow[] = [
  {
    ...{ name: 'fast & good', text: 't', target: '>= 1 M/s', unit: 'M/s', verdict: 'met' },
    ...{ measured: spreadOf(3), score: spreadOf(3) },
  },
  {
    ...{ name: 'slow', text: 't', target: '<= 1 x C', unit: 'x', verdict: 'falls short' },
    ...{ measured: spreadOf(8), score: spreadOf(1 / 8) },
  },
  { name: 'none', text: 't', target: '<= 1 x C', unit: 'x', verdict: 'not run', why: 'no gcc <here>, no cc' },
];
const machine = { date: '2026-11-23', cpu: 'a CPU', node: 'v20', compiler: 'none', rounds: 1, tiny: false };
const report: TableReport = { machine: { ...machine, load: { before: 0, after: 0 } }, rows, contestants: [] };

/** Tags that are opened and not closed, in order; throws at one that is closed and not open. */
function openTags(xml: string): string[] {
  const open: string[] = [];
  for (const [, close, name, self] of xml.matchAll(/<(\/?)([a-zA-Z]+)(?:[^<>"]|"[^"<]*")*?(\/?)>/g)) {
    if (close === '/') expect(open.pop()).toBe(name);
    else if (self !== '/') open.push(name!);
  }
  return open;
}

describe('plotTable', () => {
  const svg = plotTable(report);

  it('is well-formed: tags nest, and what is text is escaped', () => {
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(openTags(svg)).toEqual([]);
    expect(svg.replace(/<[^<>]*>/g, '')).not.toMatch(/[<>]|&(?!\w+;|#)/);
  });

  it('shows every row, measured or not', () => {
    for (const text of ['fast &amp; good', 'slow', 'none', '3.00 (1.50..6.00) M/s', 'met', '8.00 (4.00..16.00) x']) {
      expect(svg).toContain(text);
    }
    expect(svg.replace(/<[^<>]*>\s*/g, ' ')).toContain('skipped: no gcc &lt;here&gt;, no cc');
  });

  it('draws a bar for what was measured alone', () => {
    expect(svg.match(/fill="#2f7d4f"[^>]*fill-opacity|fill-opacity[^>]*fill="#2f7d4f"|opacity="0.75"/g)).not.toBeNull();
    expect(plotTable({ ...report, rows: [rows[2]!] })).not.toContain('opacity="0.75"');
  });
});
