import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { P2mError } from '../../events/index.js';
import { LockFile, ownerText } from '../../node/lock_file.js';
import { fateOf, ownIdentity, type ProcessIdentity } from '../../node/process_identity.js';
import { temporaryFolder } from '../cli/run_p2m.js';
import { judge, raceForLock } from './lock_race.js';

const SINCE = new Date(0);
const lockIn = (folder: string): string => join(folder, 'run.p2mlog.lock');

/** A lock that another process has left or holds. */
function lockOf(owner: Partial<ProcessIdentity>): string {
  const path = lockIn(temporaryFolder());
  symlinkSync(ownerText({ ...ownIdentity(), ...owner }, SINCE), path);
  return path;
}

describe('LockFile', () => {
  it('is had by one: a second is told who has it and since when', () => {
    const path = lockIn(temporaryFolder());
    const lock = LockFile.take(path);
    expect(() => LockFile.take(path)).toThrow(P2mError);
    const told = new RegExp(
      `lock: the log is being written: got process ${process.pid}, since 20.*Z, want one writer$`,
    );
    expect(() => LockFile.take(path)).toThrow(told);
    lock.release();
    LockFile.take(path).release();
  });

  it('leaves nothing behind, and may be given back twice', () => {
    const folder = temporaryFolder();
    const lock = LockFile.take(lockIn(folder));
    lock.release();
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not taken from who got it after a user had removed it', () => {
    const path = lockIn(temporaryFolder());
    const lock = LockFile.take(path);
    unlinkSync(path);
    const other = ownerText({ ...ownIdentity(), pid: 1 }, SINCE);
    symlinkSync(other, path);
    lock.release();
    expect(readlinkSync(path)).toBe(other);
  });

  it.each([
    ['whose number no process has', { pid: 2 ** 22 + 1 }],
    ['whose number another process has now', { startTicks: ownIdentity().startTicks - 1 }],
    ['of before the machine was booted', { bootId: 'before' }],
  ])('is taken over from an owner %s', (_, owner) => {
    const path = lockOf(owner);
    LockFile.take(path).release();
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });

  it.each([
    ['on another host', { host: 'elsewhere', bootId: 'other' }, 'process \\d+ of host elsewhere, since 1970'],
    ['in another container', { pidNamespace: 'pid:[1]', pid: 2 ** 22 + 1 }, 'process 4194305, since 1970'],
  ])('is not taken over from an owner %s, who cannot be seen: the user is told what to do', (_, owner, who) => {
    const path = lockOf(owner);
    expect(() => LockFile.take(path)).toThrow(new RegExp(`${who}.*if nobody writes it, remove ${path}`));
  });

  it('is taken over from one that died while it took it over', () => {
    const path = lockOf({ pid: 2 ** 22 + 1, startTicks: 5 });
    symlinkSync(ownerText({ ...ownIdentity(), pid: 2 ** 22 + 2, startTicks: 6 }, SINCE), `${path}.4194305-5`);
    LockFile.take(path).release();
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });

  it('is refused while a living one takes it over', () => {
    const path = lockOf({ pid: 2 ** 22 + 1, startTicks: 5 });
    symlinkSync(ownerText(ownIdentity(), SINCE), `${path}.4194305-5`);
    expect(() => LockFile.take(path)).toThrow(`got process ${process.pid}, since 1970`);
  });

  it('says what else is in its place, and where it cannot be', () => {
    const path = lockIn(temporaryFolder());
    symlinkSync('somewhere', path);
    expect(() => LockFile.take(path)).toThrow(
      `a lock that is none of ours: got somewhere (if nobody writes it, remove`,
    );
    unlinkSync(path);
    writeFileSync(path, '');
    expect(() => LockFile.take(path)).toThrow(/cannot lock the log: got EINVAL/);
    expect(() => LockFile.take('/nonexistent/lock')).toThrow('/nonexistent/lock: cannot lock the log: got ENOENT');
  });
});

describe('fateOf', () => {
  it('tells a process that was killed, whether its parent has waited for it or not', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const identity = { ...ownIdentity(), pid: child.pid!, startTicks: startOf(child.pid!) };
    expect(fateOf(identity)).toBe('alive');
    child.kill('SIGKILL');
    // Nobody waits for a child before this turn of the event loop is over: it is a zombie here.
    while (fateOf(identity) === 'alive');
    expect(fateOf(identity)).toBe('dead');
    await once(child, 'exit');
    expect(fateOf(identity)).toBe('dead');
  });

  it('sees this process, and one of another user', () => {
    expect(fateOf(ownIdentity())).toBe('alive');
    expect(fateOf({ ...ownIdentity(), pid: 1, startTicks: startOf(1) })).toBe('alive');
    expect(ownIdentity().host).toBe(hostname());
  });
});

function startOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ');
  return Number(fields[19]);
}

describe('eight processes that race for a lock', () => {
  it('never have it at once, and one always gets it, while whoever has it is killed', async () => {
    const { tenures, takenOver, wrongs } = await raceForLock(temporaryFolder(), 8, 40);
    expect(wrongs).toEqual([]);
    expect(tenures).toBeGreaterThan(40);
    expect(takenOver).toBeGreaterThan(20);
  });

  it('are caught if two have it', () => {
    expect(judge('1 1 takes\n1 1 holds\n2 1 takes\n2 1 gives\n', new Set([1])).wrongs).toEqual([]);
    expect(judge('1 1 takes\n2 1 takes\n2 1 gives\n', new Set()).wrongs).toEqual([
      '2 1 takes: 1 1 lives and has the lock',
    ]);
    expect(judge('1 1 takes\n2 1 takes\n1 1 gives\n', new Set([1, 2])).wrongs).toEqual([
      '1 1 gives: while 2 1 has the lock',
    ]);
  });
});
