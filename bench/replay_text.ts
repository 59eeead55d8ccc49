/**
 * `npm run bench:replay -- [--lines N] [--rounds N]`: a whole replay of a text recording (unzip, parse, model, every check)
 * against a short Python script that only takes pfn and mfn out of the same log, unzipped. Processes take turns; what is
 * compared are the rounds' ratios.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { ratios, spread } from './statistics.js';

const PYTHON = `
import re, sys
pattern = re.compile(r"pfn=0x([0-9a-f]+) mfn=0x([0-9a-f]+)")
found = 0
with open(sys.argv[1]) as log:
    for line in log:
        match = pattern.search(line)
        if match:
            pfn = int(match.group(1), 16)
            mfn = int(match.group(2), 16)
            found += 1
print(found)
`;

/** Pages of the list, all populated: pfn p holds mfn p + BASE. */
const PAGES = 2 ** 18;
const BASE = 0x10_0000;
/** Pfns of the list, as its .info says. */
const SIZE = 2 ** 27;
const ALL_ONES = 'ffffffffffffffff';

const { values } = parseArgs({
  options: { lines: { type: 'string', default: '2000000' }, rounds: { type: 'string', default: '5' } },
});
const lines = Number(values.lines);
const rounds = Number(values.rounds);
if (!(lines >= 8 && rounds >= 1)) {
  process.stderr.write('want --lines of 8 or more and --rounds of 1 or more\n');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'p2m-bench-'));
try {
  main();
} finally {
  rmSync(folder, { recursive: true });
}

function main(): void {
  writeRecording();
  if (spawnSync('python3', ['--version']).status !== 0) {
    process.stdout.write('skipped: there is no python3 here\n');
    return;
  }
  const p2m = fileURLToPath(new URL('../cli/main.js', import.meta.url));
  const replay: number[] = [];
  const script: number[] = [];
  for (let round = 0; round < rounds; round++) {
    replay.push(timed(process.execPath, [p2m, 'replay', folder]));
    script.push(timed('python3', ['-c', PYTHON, join(folder, 'trace.txt')]));
  }
  const ratio = spread(ratios(script, replay));
  const row = (name: string, ms: readonly number[]): string => {
    const { median, min, max } = spread(ms);
    return `| ${name} | ${median.toFixed(0)} ms | ${min.toFixed(0)} .. ${max.toFixed(0)} |\n`;
  };
  process.stdout.write(
    `${lines} lines, ${rounds} rounds\n\n| | median | spread |\n| --- | ---: | ---: |\n` +
      row('p2m replay, gzip', replay) +
      row('Python, unzipped', script) +
      `| times as fast as Python | ${ratio.median.toFixed(2)} | ${ratio.min.toFixed(2)} .. ${ratio.max.toFixed(2)} |\n`,
  );
}

function timed(command: string, args: readonly string[]): number {
  const began = performance.now();
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  return performance.now() - began;
}

/** A balloon's log: a page goes out, is looked up, and comes back; so the list ends as it began. */
function writeRecording(): void {
  const text: string[] = [];
  let time = 0;
  const line = (event: string): void => {
    time += 7;
    const stamp = (time / 1e6).toFixed(6).padStart(13);
    text.push(`     xen-balloon-48      [000] ..... ${stamp}: ${event}\n`);
  };
  for (let i = 0; text.length < lines; i++) {
    const pfn = (i % PAGES).toString(16);
    const mfn = ((i % PAGES) + BASE).toString(16);
    line(`__set_phys_to_machine: (__set_phys_to_machine+0x4/0x180) pfn=0x${pfn} mfn=0x${ALL_ONES}`);
    line('__set_phys_to_machine_ret: (__xenmem_reservation_va_mapping_reset+0x35/0x80 <- __set_phys_to_machine) ret=1');
    line(`get_phys_to_machine: (get_phys_to_machine+0x4/0x100) pfn=0x${pfn}`);
    line(`get_phys_to_machine_ret: (pte_pfn_to_mfn.part.0+0x6c/0x90 <- get_phys_to_machine) mfn=0x${ALL_ONES}`);
    line(`set_phys_to_machine: (set_phys_to_machine+0x4/0x50) pfn=0x${pfn} mfn=0x${mfn}`);
    line(`__set_phys_to_machine: (__set_phys_to_machine+0x4/0x180) pfn=0x${pfn} mfn=0x${mfn}`);
    line('__set_phys_to_machine_ret: (set_phys_to_machine+0x18/0x50 <- __set_phys_to_machine) ret=1');
    line('set_phys_to_machine_ret: (__xenmem_reservation_va_mapping_update+0x59/0xd0 <- set_phys_to_machine) ret=1');
  }
  const log = Buffer.from(text.join(''));
  writeFileSync(join(folder, 'trace.txt'), log);
  writeFileSync(join(folder, 'trace.txt.gz'), gzipSync(log));
  const words = new DataView(new ArrayBuffer(8 * PAGES));
  for (let pfn = 0; pfn < PAGES; pfn++) words.setBigUint64(8 * pfn, BigInt(pfn + BASE), true);
  writeFileSync(join(folder, 'p2m-before.bin.gz'), gzipSync(new Uint8Array(words.buffer)));
  const hex = (n: number): string => `0x${n.toString(16)}`;
  writeFileSync(
    join(folder, 'p2m-before.pt.txt'),
    `pfn [0x0,${hex(PAGES)}) own flags=0x7 pte_page=own_pte pte_page_pfn=0x1\n` +
      `pfn [${hex(PAGES)},${hex(SIZE)}) identity pte_page=p2m_identity_pte pmd=0x2067\n`,
  );
  writeFileSync(
    join(folder, 'p2m-before.info'),
    `sym xen_p2m_size addr=0x1 value=${hex(SIZE)}\nsym xen_p2m_last_pfn addr=0x1 value=${hex(PAGES)}\n` +
      `dump pfns=[0,${hex(PAGES)})\n`,
  );
  const steps = [{ from: 'before', log: 'trace.txt.gz', to: 'before' }];
  writeFileSync(join(folder, 'replay.json'), JSON.stringify({ kernel: '6.12', steps }));
}
