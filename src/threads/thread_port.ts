import { assert, Global, kindName, KINDS, P2mError, type EventBatch, type Word } from '../../events/index.js';
import { apply } from '../memory/apply.js';
import { ATTEMPTS, GRANTS_MAX } from '../memory/layout.js';
import type { Memory } from '../memory/memory.js';
import type { Pte } from '../memory/pte.js';
import { ModelPort } from '../model_port.js';
import { Control, ThreadWord, threadWords } from './control.js';
import type { EventRing } from './event_ring.js';
import type { Spinlock } from './spinlock.js';

const UPDATE_LOCK = Global.p2m_update_lock;
/** Times that a thread looks at p2m_update_lock before it sleeps. */
const LOOKS = 256;
/** A thread that waits for p2m_update_lock looks again after so long, and gives up after so many times: a minute. */
const SLEEP_MS = 5;
const SLEEPS_MAX = 12_000;

/** By id: kinds that change nothing. */
const IS_OBSERVATION: readonly boolean[] = Array.from({ length: 256 }, (_, id) => {
  const name = kindName(id);
  return name !== undefined && !KINDS[name].mutates;
});

/** Grant slots that each of so many CPUs has. */
export function grantSlots(cpus: number): number {
  return Math.floor(GRANTS_MAX / cpus);
}

/** What a thread acts with besides the memory. */
export interface ThreadParts {
  readonly control: Int32Array;
  readonly lock: Spinlock;
  readonly ring: EventRing;
}

/**
 * The port of a real thread, whose CPU has its number (design 2.3). Loads are plain: nobody is asked. Whatever changes memory
 * is one act under the engine's lock:
 *
 *     room in the ring | lock | read what is there | number, row | apply | publish | unlock
 *
 * so that numbers are the order of memory. Observations take their number without the lock: a `call` before the first access of
 * its operation, a `return` after the last. What only the boot does runs alone, through another port.
 */
export class ThreadPort extends ModelPort {
  readonly #control: Int32Array;
  readonly #lock: Spinlock;
  readonly #ring: EventRing;
  /** First of our own slots: the operations of several CPUs are in hand at once. */
  readonly #grants: number;
  /** Whether the engine's lock is ours. */
  #holds = false;

  /** @param batch of this port alone: the row in hand */
  constructor(memory: Memory, batch: EventBatch, cpu: number, { control, lock, ring }: ThreadParts) {
    super(memory, batch, cpu);
    this.#control = control;
    this.#lock = lock;
    this.#ring = ring;
    this.#grants = cpu * grantSlots(memory.layout.cpus);
  }

  protected override event(kind: number, a = 0, b = 0, c = 0, d = 0, e = 0): void {
    const ring = this.#ring;
    if (!this.#holds) {
      if (!IS_OBSERVATION[kind]) assert(false, `${kindName(kind)} is what the boot does: no other thread may run`);
      ring.reserve();
      ring.put(kind, this.cpu, this.op, a, b, c, d, e);
      ring.publish();
      return;
    }
    const { batch, memory } = this;
    batch.clear();
    batch.push(kind, this.cpu, this.op, a, b, c, d, e);
    ring.put(kind, this.cpu, this.op, a, b, c, d, e);
    ring.intend(memory.words[ATTEMPTS]!);
    apply(memory, batch, 0);
    ring.publish();
  }

  override setGlobal(index: number, value: number): void {
    const outer = this.#enter();
    super.setGlobal(index, value);
    this.#leave(outer);
  }

  override storeEntry(pfn: number, value: Word): boolean {
    const outer = this.#enter();
    const stored = super.storeEntry(pfn, value);
    this.#leave(outer);
    return stored;
  }

  override setPte(ptPage: number, pfn: number, pte: Pte): void {
    const outer = this.#enter();
    super.setPte(ptPage, pfn, pte);
    this.#leave(outer);
  }

  override setPmd(pfn: number, pte: Pte): void {
    const outer = this.#enter();
    super.setPmd(pfn, pte);
    this.#leave(outer);
  }

  override allocPage(role: number): number {
    const outer = this.#enter();
    const page = super.allocPage(role);
    this.#leave(outer);
    return page;
  }

  override freePage(page: number): void {
    const outer = this.#enter();
    super.freePage(page);
    this.#leave(outer);
  }

  override fillInvalid(page: number): void {
    const outer = this.#enter();
    super.fillInvalid(page);
    this.#leave(outer);
  }

  override fillIdentity(page: number, pfnBase: number): void {
    const outer = this.#enter();
    super.fillIdentity(page, pfnBase);
    this.#leave(outer);
  }

  override fillFrame(page: number, frame: number): void {
    const outer = this.#enter();
    super.fillFrame(page, frame);
    this.#leave(outer);
  }

  override fillPte(page: number, pte: Pte): void {
    const outer = this.#enter();
    super.fillPte(page, pte);
    this.#leave(outer);
  }

  override copyPage(page: number, source: number): void {
    const outer = this.#enter();
    super.copyPage(page, source);
    this.#leave(outer);
  }

  /**
   * As the model's; a thread that finds the lock taken waits a while, then answers, for its row is asked again.
   * @throws P2mError `stuck` where the CPU that holds it is dead, as the kernel would hang, or keeps it for a minute
   */
  override lock(): boolean {
    if (this.memory.words[UPDATE_LOCK] !== 0) this.#waitForUpdateLock();
    const outer = this.#enter();
    const taken = super.lock();
    this.#leave(outer);
    return taken;
  }

  override unlock(): void {
    const outer = this.#enter();
    super.unlock();
    this.#leave(outer);
    if (Atomics.load(this.#control, Control.waiters) > 0) Atomics.notify(this.memory.words, UPDATE_LOCK, 1);
  }

  override casTopMfn(index: number, expected: number, value: number): number {
    const outer = this.#enter();
    const found = super.casTopMfn(index, expected, value);
    this.#leave(outer);
    return found;
  }

  override setTopMfn(index: number, value: number): void {
    const outer = this.#enter();
    super.setTopMfn(index, value);
    this.#leave(outer);
  }

  override setTopMfnP(index: number, value: number): void {
    const outer = this.#enter();
    super.setTopMfnP(index, value);
    this.#leave(outer);
  }

  override setMidMfn(page: number, index: number, value: number): void {
    const outer = this.#enter();
    super.setMidMfn(page, index, value);
    this.#leave(outer);
  }

  override casTop(index: number, expected: number, value: number): number {
    const outer = this.#enter();
    const found = super.casTop(index, expected, value);
    this.#leave(outer);
    return found;
  }

  override casMid(page: number, index: number, expected: number, value: number): number {
    const outer = this.#enter();
    const found = super.casMid(page, index, expected, value);
    this.#leave(outer);
    return found;
  }

  override storeLeaf(page: number, pfn: number, value: Word): void {
    const outer = this.#enter();
    super.storeLeaf(page, pfn, value);
    this.#leave(outer);
  }

  override bumpGeneration(): void {
    const outer = this.#enter();
    super.bumpGeneration();
    this.#leave(outer);
  }

  override setGeneration(value: number): void {
    const outer = this.#enter();
    super.setGeneration(value);
    this.#leave(outer);
  }

  override setMaxPfn(value: number): void {
    const outer = this.#enter();
    super.setMaxPfn(value);
    this.#leave(outer);
  }

  override setM2p(mfn: number, pfnPlusOne: number): void {
    const outer = this.#enter();
    super.setM2p(mfn, pfnPlusOne);
    this.#leave(outer);
  }

  override setOverride(mfn: number, pfnPlusOne: number): void {
    const outer = this.#enter();
    super.setOverride(mfn, pfnPlusOne);
    this.#leave(outer);
  }

  override loadGrant(slot: number, field: number): number {
    return super.loadGrant(this.#grants + slot, field);
  }

  override setGrant(slot: number, field: number, value: number): void {
    const outer = this.#enter();
    const at = this.#grants + slot;
    this.event(KINDS.set_grant.id, at, field, super.loadGrant(at, field), value);
    this.#leave(outer);
  }

  /** Takes the engine's lock, unless an act of ours that this is part of has it. Whether it took it. */
  #enter(): boolean {
    if (this.#holds) return false;
    this.#ring.reserve();
    this.#lock.acquire();
    this.#holds = true;
    return true;
  }

  #leave(outer: boolean): void {
    if (!outer) return;
    this.#holds = false;
    this.#lock.release();
  }

  #waitForUpdateLock(): void {
    const { words } = this.memory;
    for (let look = 0; look < LOOKS; look++) {
      if (Atomics.load(words, UPDATE_LOCK) === 0) return;
    }
    Atomics.add(this.#control, Control.waiters, 1);
    let owner = Atomics.load(words, UPDATE_LOCK);
    let sleeps = 0;
    for (; owner !== 0 && sleeps < SLEEPS_MAX && !this.#isDead(owner - 1); sleeps++) {
      Atomics.wait(words, UPDATE_LOCK, owner, SLEEP_MS);
      owner = Atomics.load(words, UPDATE_LOCK);
    }
    Atomics.sub(this.#control, Control.waiters, 1);
    // A CPU that is dead now may have given it back before: what the lock says after that is so for good.
    if (owner !== 0 && Atomics.load(words, UPDATE_LOCK) === owner) throw this.#hung(owner - 1);
  }

  #isDead(cpu: number): boolean {
    return Atomics.load(this.#control, threadWords(cpu) + ThreadWord.dead) !== 0;
  }

  #hung(owner: number): P2mError {
    const isDead = this.#isDead(owner);
    return new P2mError('stuck', `CPU ${this.cpu} waits for p2m_update_lock for ever, as the kernel would`, {
      got: `CPU ${owner} holds it${isDead ? ', and is dead' : ' and has not given it back for a minute'}`,
    });
  }
}
