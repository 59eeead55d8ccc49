import { createHash } from 'node:crypto';
import { BLOCK_CHAIN_AT, CHAIN_BYTES, CHECKED_BYTES, HEADER_BYTES } from './layout.js';

/** The chain before the first block of a log. */
export const NO_CHAIN: Uint8Array = new Uint8Array(CHAIN_BYTES);

/** The chain before the first block of a segment, given its header and facts. */
export function segmentChain(headerAndFacts: Uint8Array): Uint8Array {
  return createHash('sha256').update(headerAndFacts).digest();
}

/**
 * The chain behind a block, whose header and body are `bytes`; `before` is the chain before it. What stands in the place
 * of the block's own chain is overwritten by `before`.
 */
export function blockChain(bytes: Uint8Array, before: Uint8Array): Uint8Array {
  bytes.set(before, BLOCK_CHAIN_AT);
  return createHash('sha256').update(bytes.subarray(0, CHECKED_BYTES)).update(bytes.subarray(HEADER_BYTES)).digest();
}

/** A chain as 64 hexadecimal digits. */
export function chainText(chain: Uint8Array): string {
  return Array.from(chain, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether both are the same. */
export function sameChain(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < CHAIN_BYTES; i++) if (a[i] !== b[i]) return false;
  return true;
}
