import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { kill, pid } from 'node:process';

/** Which process: told apart from every other one, from those that get the same number later too. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in clock ticks since the machine was booted; 0 where there is no /proc. */
  readonly startTicks: number;
  /** Which boot of the machine; empty where there is no /proc. */
  readonly bootId: string;
  /** Where its number means it, such as `pid:[4026531836]`: not the same in two containers. Empty where there is no /proc. */
  readonly pidNamespace: string;
  readonly host: string;
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return {
    pid,
    startTicks: statOf(pid)?.startTicks ?? 0,
    bootId: bootId(),
    pidNamespace: pidNamespace(),
    host: hostname(),
  };
}

/** Whether a process still runs; `unknown` where it cannot be seen from here. Never `dead` of one that can still write. */
export function fateOf(identity: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  const isOfThisBoot = identity.bootId === bootId();
  if (!isOfThisBoot || identity.bootId === '') {
    if (identity.host !== hostname()) return 'unknown';
    if (!isOfThisBoot) return 'dead';
  }
  if (identity.pidNamespace !== pidNamespace()) return 'unknown';
  if (!isThere(identity.pid)) return 'dead';
  const stat = statOf(identity.pid);
  if (stat === undefined) return isThere(identity.pid) ? 'alive' : 'dead';
  return stat.startTicks !== identity.startTicks || stat.hasEnded ? 'dead' : 'alive';
}

/** Whether any process has that number, ours to signal or not. */
function isThere(number: number): boolean {
  try {
    return kill(number, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Two facts of /proc/PID/stat (proc_pid_stat(5)). */
interface Stat {
  readonly startTicks: number;
  /** Nobody has waited for it yet, that is all. A zombie of many threads has some that are still in a system call. */
  readonly hasEnded: boolean;
}

function statOf(number: number): Stat | undefined {
  const text = textOf(() => readFileSync(`/proc/${number}/stat`, 'latin1'));
  // The second field is the command in parentheses, and may hold any of those itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, threads, startTicks] = [fields[0], fields[17], fields[19]];
  if (startTicks === undefined) return undefined;
  return { startTicks: Number(startTicks), hasEnded: (state === 'Z' || state === 'X') && Number(threads) <= 1 };
}

function bootId(): string {
  return textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
}

function pidNamespace(): string {
  return textOf(() => readlinkSync('/proc/self/ns/pid'));
}

/** What it reads; empty where there is nothing to read. */
function textOf(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
