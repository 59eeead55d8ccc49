/**
 * Resident memory of a booted domain: `node resident.js paged|flat AREA_PFNS` prints the bytes that building and booting
 * one adds to its process.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bootedDomain } from './works/domains.js';

const NR_PAGES = 4096;
const SMALL = 2 ** 20;
const LARGE = 2 ** 27;
const PAGE_BYTES = 4096;

/** Bytes that 128 Mi pfns add over 1 Mi, untouched, run by run; each in processes of their own. */
export function residentBytesAdded(memory: 'paged' | 'flat', rounds: number): number[] {
  return Array.from({ length: rounds }, () => residentBytes(memory, LARGE) - residentBytes(memory, SMALL));
}

function residentBytes(memory: string, areaPfns: number): number {
  const args = ['--expose-gc', fileURLToPath(import.meta.url), memory, String(areaPfns)];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

/** As the kernel of this process counts it, garbage taken away first. */
function residentNow(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) * PAGE_BYTES;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const memory = process.argv[2] === 'flat' ? 'flat' : 'paged';
  // Code that both sizes need is loaded and run before the first look; nothing of it is freed before the second.
  const first = bootedDomain({ memory, nrPages: NR_PAGES, p2mLimitPfns: SMALL });
  const before = residentNow();
  const domain = bootedDomain({ memory, nrPages: NR_PAGES, p2mLimitPfns: Number(process.argv[3]) });
  process.stdout.write(`${residentNow() - before}\n`);
  if (domain.memory.words === first.memory.words) throw new Error('both domains must live until here');
}
