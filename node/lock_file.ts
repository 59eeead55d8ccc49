/**
 * One writer a log: who holds the lock. The lock is a symbolic link that leads nowhere and says who its owner is, because a
 * link is there with its text in one act or not at all, needs no temporary file, and outlives an owner that is killed:
 *
 *     run.p2mlog.lock -> pid=4711 start=3591735 boot=e9f5f238-... pidns=pid:[4026531836] host=dom0 since=2026-11-23T03:41:00Z
 *
 * To take over what a dead owner D has left, a process first takes the *claim* on it, a lock of its own named after both
 * (`run.p2mlog.lock.4711-3591735`), looks whether the lock is D's still, and moves the claim onto the lock: a rename,
 * which puts its own name in the place of D's and gives the claim up in one act.
 *
 * Why there are never two owners:
 * - A lock that is held changes only by its owner, who removes it. One that D has left changes only by whoever holds the
 *   claim on D, since all others find a name that is taken.
 * - The holder of the claim has seen D in the lock *after* it got the claim. Nobody can change that before it moves: nobody
 *   else has the claim. A process that read D long ago, and gets the claim once D was replaced, sees that and gives it back.
 * - Holders of a claim that die leave a dead lock like any other: it is taken over the same way, by a claim on the claim.
 *   That is only safe as the dead do not move: a process is dead once none of its threads runs, never by a time that went
 *   by (process_identity.ts).
 * - D's name comes never again, so that what was said of D once is true for good.
 *
 * Why somebody always gets it: who is refused has seen a living owner, or the living holder of the claim, who finds D there.
 * A process that is killed with a claim on an owner that was replaced leaves a link that nobody looks at again.
 */
import { readlinkSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { inputError, type P2mError } from '../events/index.js';
import { fateOf, ownIdentity, type ProcessIdentity } from './process_identity.js';

/** The names that locks have, each with its text. Each act is one for all processes: links of a file system. */
export interface LockNames {
  /** Gives the name its text; false where it is taken. */
  put(path: string, text: string): boolean;
  get(path: string): string | undefined;
  /** Gives `to` the text of `from`, whatever it had, and frees `from`. */
  move(from: string, to: string): void;
  remove(path: string): void;
}

/** The lock of a log: whoever has it is the only one that writes. */
export class LockFile {
  readonly path: string;
  readonly #text: string;

  private constructor(path: string, text: string) {
    this.path = path;
    this.#text = text;
  }

  /**
   * Takes the lock, at once or never; one that a dead process has left, too.
   * @param path of the lock, beside the log; nobody else uses names that begin with it
   * @throws {P2mError} code `bad-input`: somebody has it, who and since when; or it cannot be written
   */
  static take(path: string): LockFile {
    const text = ownerText(ownIdentity(), new Date());
    const holder = takeName(path, text, LINKS, isDead);
    if (holder !== undefined) throw beingWritten(path, holder);
    return new LockFile(path, text);
  }

  /** Gives it back. May be repeated. */
  release(): void {
    // A user who did not believe in us may have removed it, and another process holds it now.
    if (LINKS.get(this.path) === this.#text) LINKS.remove(this.path);
  }
}

/**
 * Takes a name: returns undefined, or the text of the living process that has it or is about to.
 * @param text   who we are: no other process has the same, ever
 * @param isDead whether the process of that text has ended; once it has, it stays so
 */
export function takeName(
  path: string,
  text: string,
  names: LockNames,
  isDead: (owner: string) => boolean,
): string | undefined {
  for (;;) {
    if (names.put(path, text)) return undefined;
    const owner = names.get(path);
    // Given back a moment ago.
    if (owner === undefined) continue;
    if (!isDead(owner)) return owner;
    const claim = `${path}.${tagOf(owner)}`;
    const claimant = takeName(claim, text, names, isDead);
    if (claimant !== undefined) return claimant;
    if (names.get(path) === owner) {
      names.move(claim, path);
      return undefined;
    }
    names.remove(claim);
  }
}

const OWNER = /^pid=(\d+) start=(\d+) boot=(\S*) pidns=(\S*) host=(\S*) since=(\S+)$/;

/** What a lock says. */
export function ownerText(owner: ProcessIdentity, since: Date): string {
  const { pid, startTicks, bootId, pidNamespace, host } = owner;
  const when = since.toISOString();
  return `pid=${pid} start=${startTicks} boot=${bootId} pidns=${pidNamespace} host=${encodeURIComponent(host)} since=${when}`;
}

function parseOwner(text: string): { readonly owner: ProcessIdentity; readonly since: string } | undefined {
  const [, pid, startTicks, bootId, pidNamespace, host, since] = OWNER.exec(text) ?? [];
  if (since === undefined) return undefined;
  const owner = {
    pid: Number(pid),
    startTicks: Number(startTicks),
    bootId: bootId!,
    pidNamespace: pidNamespace!,
    host: decodeURIComponent(host!),
  };
  return { owner, since };
}

function isDead(text: string): boolean {
  const parsed = parseOwner(text);
  return parsed !== undefined && fateOf(parsed.owner) === 'dead';
}

function tagOf(text: string): string {
  const { owner } = parseOwner(text)!;
  return `${owner.pid}-${owner.startTicks}`;
}

function beingWritten(path: string, text: string): P2mError {
  const parsed = parseOwner(text);
  const hint = `if nobody writes it, remove ${path}`;
  if (parsed === undefined) return inputError('a lock that is none of ours', { file: path, got: text, hint });
  const { owner, since } = parsed;
  const where = owner.host === ownIdentity().host ? '' : ` of host ${owner.host}`;
  const got = `process ${owner.pid}${where}, since ${since}`;
  const isSeen = fateOf(owner) !== 'unknown';
  return inputError('the log is being written', {
    file: path,
    got,
    expected: 'one writer',
    ...(isSeen ? {} : { hint }),
  });
}

/** Symbolic links. */
const LINKS: LockNames = {
  put: (path, text) => unless('EEXIST', path, () => symlinkSync(text, path)),
  get: (path) => {
    let text: string | undefined;
    unless('ENOENT', path, () => {
      text = readlinkSync(path);
    });
    return text;
  },
  move: (from, to) => {
    unless(undefined, to, () => renameSync(from, to));
  },
  remove: (path) => {
    unless('ENOENT', path, () => unlinkSync(path));
  },
};

/** Acts; false where it failed with that code. */
function unless(code: string | undefined, path: string, act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return false;
    throw inputError('cannot lock the log', { file: path, got: (error as Error).message });
  }
}
