import { mfnWord, PAYLOAD_MASK, type Word } from '../../events/index.js';

/** GNTST_general_error. */
export const GENERAL_ERROR = -1;
/** INVALID_GRANT_HANDLE. */
export const INVALID_HANDLE = -1;
/** Errors that the grant operations answer, negated. */
export const ENOMEM = 12;
/** As ENOMEM. */
export const EINVAL = 22;

/**
 * The `value` argument of the grant operations: kmap_ops (kunmap_ops) are given, and their hypercall as a whole answers
 * `-errno`. INVALID stands for NULL. Written as a plain number's word, so that it reads as one in the log.
 */
export function kernelOps(errno = 0): Word {
  return mfnWord((errno << 1) | 1);
}

/** Whether kmap_ops (kunmap_ops) is not NULL. */
export function hasKernelOps(value: Word): boolean {
  return (value & 1) !== 0;
}

/** What their hypercall answers: 0 or a negative errno. */
export function kernelOpsResult(value: Word): number {
  return 0 - ((value & PAYLOAD_MASK) >>> 1);
}
