import { statfsSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import type { Contestant } from './contest.js';
import type { CProgram } from './c_program.js';

/** What the machine has for who is measured. */
export interface Machine {
  readonly cpus: number;
  /** That can be had without swapping. */
  readonly memoryBytes: number;
  /** Free in the folder for temporary files. */
  readonly diskBytes: number;
  /** The yardstick, or why there is none. */
  readonly cProgram: CProgram | { readonly why: string };
}

/** Leaves others some room. */
const SHARE = 0.8;

/** The machine that this is. */
export function thisMachine(cProgram: Machine['cProgram']): Machine {
  const { bavail, bsize } = statfsSync(tmpdir());
  return {
    cpus: availableParallelism(),
    memoryBytes: process.availableMemory(),
    diskBytes: bavail * bsize,
    cProgram,
  };
}

/** Why a contestant cannot run there; undefined where it can. */
export function whyNot(contestant: Contestant, machine: Machine): string | undefined {
  const { cProgram } = machine;
  if ('c' in contestant && 'why' in cProgram) return cProgram.why;
  const { cpus: wanted = 1, memoryBytes = 0, diskBytes = 0 } = contestant.needs ?? {};
  if (machine.cpus < wanted) return `${machine.cpus} CPU, needs ${wanted}`;
  if (memoryBytes > SHARE * machine.memoryBytes) {
    return `needs ${megabytes(memoryBytes)} of memory, ${megabytes(machine.memoryBytes)} can be had`;
  }
  if (diskBytes > SHARE * machine.diskBytes) {
    return `needs ${megabytes(diskBytes)} of disk in ${tmpdir()}, ${megabytes(machine.diskBytes)} are free`;
  }
  return undefined;
}

/** What a table of numbers has to say of where they are from. */
export interface MachineFacts {
  readonly date: string;
  readonly cpu: string;
  readonly node: string;
  readonly compiler: string;
}

/** For a table of today. */
export function machineFacts(machine: Machine): MachineFacts {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${machine.cpus} CPUs`,
    node: process.version,
    compiler: 'why' in machine.cProgram ? machine.cProgram.why : machine.cProgram.compiler,
  };
}

/** Processes that want a CPU, in the last minute: an idle machine says 1 at most where we are one of them. */
export function load(): number {
  return loadavg()[0]!;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}
