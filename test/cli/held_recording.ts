import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { temporaryFolder } from './run_p2m.js';

/** The folder of k61-512M-hold: 628 lines of one task, 78 grants mapped and unmapped, a dump before, between and after. */
export const HOLD = fileURLToPath(new URL('../recordings/k61-512M-hold', import.meta.url));

/** The options that say of a log by itself what its recording says. */
export const HOLD_DUMPS = [
  '--kernel',
  '6.1',
  '--init',
  `${HOLD}/p2m-after.bin.gz`,
  '--init-pt',
  `${HOLD}/p2m-after.pt.txt`,
];

/** Its log, unzipped. */
export function holdLog(): string {
  return gunzipSync(readFileSync(`${HOLD}/trace.txt.gz`)).toString();
}

/** A copy of the recording whose log is changed, in a folder with a blank in its name. */
export function copyWith(change: (log: string) => string | Uint8Array = (log) => log): string {
  const folder = `${temporaryFolder()}/my copy`;
  cpSync(HOLD, folder, { recursive: true });
  writeFileSync(`${folder}/trace.txt.gz`, change(holdLog()));
  return folder;
}

/** A file of that content. */
export function fileOf(name: string, content: string | Uint8Array): string {
  const file = `${temporaryFolder()}/${name}`;
  writeFileSync(file, content);
  return file;
}

/** The first call of the log returns what it did not. */
export const violated = (log: string): string => log.replace(/ret=0(?=\n)/, 'ret=-12');

/** One event line of ftrace text. */
export function traceLine(task: string, pid: number, time: number, body: string): string {
  return `           ${task}-${pid}   [00${pid % 2}] .....  ${(1 + time / 1e6).toFixed(6)}: ${body}\n`;
}

/** The lines of a call of `__set_phys_to_machine`: its entry, and its return. */
export const storeEntry = (pfn: number, mfn: number): string =>
  `__set_phys_to_machine: (__set_phys_to_machine+0x0/0x180) pfn=0x${pfn.toString(16)} mfn=0x${mfn.toString(16)}`;
export const storeReturn = (ret: number): string =>
  `__set_phys_to_machine_ret: (churn+0x14/0x40 <- __set_phys_to_machine) ret=${ret}`;
