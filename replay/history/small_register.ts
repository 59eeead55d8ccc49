import { assert } from '../../events/index.js';

/**
 * At most 31 operations on one register, in parallel lists: what an explorer has at the end of a path. An operation that
 * had no effect is left out.
 */
export interface SmallRegister {
  /** Operations. */
  readonly count: number;
  /** 1 for a write, 0 for a read. */
  readonly isWrite: ArrayLike<number>;
  /** What it wrote or returned. */
  readonly value: ArrayLike<number>;
  /** 1 where it ended; where it did not, a write may have taken effect or not, and a read says nothing. */
  readonly isDone: ArrayLike<number>;
  /** Bits of the operations that had ended when it began. */
  readonly after: ArrayLike<number>;
  /** The value before all of them. */
  readonly initial: number;
}

/** Most operations of a `SmallRegister`: the bits of a mask. */
export const SMALL_REGISTER_MAX = 31;

/** Dead ends of the call in hand, three words a slot: a mask, a value, and the call that found it. At most half full. */
let dead = new Int32Array(3 * 256);
let deadCount = 0;
let call = 0;

/**
 * Whether the operations have an order in which each read finds what was written last, and each comes after those that had
 * ended when it began. The same search as `RegisterSearch`, over masks; it allocates nothing, unless it meets more dead
 * ends than ever before.
 */
export function linearizable(ops: SmallRegister): boolean {
  assert(ops.count <= SMALL_REGISTER_MAX, 'a small register has at most 31 operations');
  let wanted = 0;
  for (let i = 0; i < ops.count; i++) if (ops.isDone[i] === 1) wanted |= 1 << i;
  deadCount = 0;
  call = (call + 1) | 0;
  return isReachable(ops, wanted, 0, ops.initial);
}

/** Whether those of `wanted` that are not `placed` yet can follow, where the register holds `value`. */
function isReachable(ops: SmallRegister, wanted: number, before: number, value: number): boolean {
  const { count, isWrite, isDone, after } = ops;
  let placed = before;
  // A read that fits is taken at once: it changes nothing. Those that it lets go on may come before it in the lists.
  for (let i = 0; i < count; i++) {
    const bit = 1 << i;
    const fits = isWrite[i] === 0 && isDone[i] === 1 && ops.value[i] === value;
    if (!fits || (placed & bit) !== 0 || (after[i]! & wanted & ~placed) !== 0) continue;
    placed |= bit;
    i = -1;
  }
  if ((wanted & ~placed) === 0) return true;
  if (dead[findDead(placed, value) + 2] === call) return false;
  for (let i = 0; i < count; i++) {
    const bit = 1 << i;
    if (isWrite[i] === 0 || (placed & bit) !== 0 || (after[i]! & wanted & ~placed) !== 0) continue;
    if (isReachable(ops, wanted, placed | bit, ops.value[i]!)) return true;
  }
  addDead(placed, value);
  return false;
}

/** Where the dead end is, or the slot where it belongs. */
function findDead(mask: number, value: number): number {
  const hash = Math.imul(Math.imul(mask, 0x9e3779b1) ^ value, 0x85ebca6b);
  const slots = dead.length / 3;
  for (let slot = (hash ^ (hash >>> 15)) & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
    const at = 3 * slot;
    if (dead[at + 2] !== call || (dead[at] === mask && dead[at + 1] === value)) return at;
  }
}

function addDead(mask: number, value: number): void {
  if (6 * ++deadCount > dead.length) growDead();
  const at = findDead(mask, value);
  dead[at] = mask;
  dead[at + 1] = value;
  dead[at + 2] = call;
}

function growDead(): void {
  const old = dead;
  dead = new Int32Array(2 * old.length);
  for (let at = 0; at < old.length; at += 3) {
    if (old[at + 2] === call) dead.set(old.subarray(at, at + 3), findDead(old[at]!, old[at + 1]!));
  }
}
