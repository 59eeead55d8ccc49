import { usageError } from '../events/index.js';
import type { Geometry } from './geometry.js';

/**
 * A kernel form: what one version of arch/x86/xen/p2m.c does, as a row of switches (spec 14). A defect is the difference
 * of two rows, and a row with one switch flipped is a mutant. Stable backports are not modelled.
 */
export interface Form {
  /** The kernel version it first appeared in, or the state of the patch. */
  readonly name: string;
  /** Tag of the spec. */
  readonly tag: string;
  readonly structure: 'tree' | 'linear';

  /** Shared leaves are mapped PAGE_KERNEL_RO, and a store finds out by faulting (L1, B4). */
  readonly sharedLeavesReadOnly: boolean;
  /** The tools' tree takes a leaf's mfn from the PTE, not from virt_to_mfn of the vm area (L0, B1). */
  readonly mfnTreeFromPte: boolean;
  /** xen_rebuild_p2m_list populates each PMD of a uniform mid page (L2, B2; matters where a mid page has two). */
  readonly secondPmdPopulated: boolean;
  /** Who loses the PMD race walks again (L2, B3). */
  readonly pmdLoserWalksAgain: boolean;
  /** A leaf made from p2m_identity is filled from the leaf's first pfn (L3, B5). */
  readonly identityBaseMasked: boolean;
  /** A p2m page may be freed before the slab allocator is up (L2, B6). */
  readonly earlyFree: boolean;
  /** The list covers P2M_LIMIT GiB (L3, B8). */
  readonly p2mLimit: boolean;
  /** Foreign mfns are found by m2p_overrides (up to L3, B12). */
  readonly m2pOverrides: boolean;
  /** The list for tools: p2m_generation, p2m_vaddr, p2m_cr3, xen_p2m_last_pfn, SIF_VIRT_P2M_4TOOLS (L5). */
  readonly listForTools: boolean;
  /** pfn >= MAX_P2M_PFN gets no mfn tree instead of a BUG (L5, B11). */
  readonly pfnAboveMax: boolean;
  /** xen_p2m_last_pfn counts whole leaves (L11, B10). */
  readonly lastPfnAligned: boolean;
  /** __set_phys_to_machine of a real value out of range answers false instead of BUG (L10, B16). */
  readonly outOfRangeIsFalse: boolean;
  /** A grant slot fails alone (L10, B13-B15). */
  readonly grantErrorsPerSlot: boolean;
  /** The operations return at once in an auto-translated domain (up to L6). */
  readonly autoTranslatedChecks: boolean;
  /** 32-bit PV exists (up to 5.8). */
  readonly has32bit: boolean;

  /** Old tree: the loser of the mid_mfn race goes on with the winner's page (T18, B0b). */
  readonly treeMidMfnLoserUsesWinner: boolean;
  /** Old tree: the leaf compare value is read once (T18, B0a). */
  readonly treeLeafReadOnce: boolean;
}

const T16: Form = {
  name: '3.16',
  tag: 'T16',
  structure: 'tree',
  sharedLeavesReadOnly: false,
  mfnTreeFromPte: false,
  secondPmdPopulated: false,
  pmdLoserWalksAgain: false,
  identityBaseMasked: false,
  earlyFree: false,
  p2mLimit: false,
  m2pOverrides: true,
  listForTools: false,
  pfnAboveMax: false,
  lastPfnAligned: false,
  outOfRangeIsFalse: false,
  grantErrorsPerSlot: false,
  autoTranslatedChecks: true,
  has32bit: true,
  treeMidMfnLoserUsesWinner: false,
  treeLeafReadOnce: false,
};
const T18: Form = { ...T16, name: '3.18', tag: 'T18', treeMidMfnLoserUsesWinner: true, treeLeafReadOnce: true };
/** The v3 mail; every step that it does not show is that of 7of8. */
const SEED: Form = { ...T18, name: 'v3', tag: 'SEED', structure: 'linear' };
const L0: Form = { ...SEED, name: '7of8', tag: 'L0', mfnTreeFromPte: true };
const L1: Form = { ...L0, name: '3.19-rc1', tag: 'L1', sharedLeavesReadOnly: true };
const L2: Form = {
  ...L1,
  name: '3.19',
  tag: 'L2',
  secondPmdPopulated: true,
  pmdLoserWalksAgain: true,
  earlyFree: true,
};
const L3: Form = { ...L2, name: '3.19.8', tag: 'L3', identityBaseMasked: true, p2mLimit: true };
const L4: Form = { ...L3, name: '4.0', tag: 'L4', m2pOverrides: false };
const L5: Form = { ...L4, name: '4.3', tag: 'L5', listForTools: true, pfnAboveMax: true };
const L6: Form = { ...L5, name: '4.4', tag: 'L6' };
const L7: Form = { ...L6, name: '4.15', tag: 'L7', autoTranslatedChecks: false };
const L8: Form = { ...L7, name: '4.20', tag: 'L8' };
const L9: Form = { ...L8, name: '5.10', tag: 'L9', has32bit: false };
const L10: Form = { ...L9, name: '5.12', tag: 'L10', outOfRangeIsFalse: true, grantErrorsPerSlot: true };
const L11: Form = { ...L10, name: '5.17', tag: 'L11', lastPfnAligned: true };
const L12: Form = { ...L11, name: '6.13', tag: 'L12' };
const L13: Form = { ...L12, name: '7.0', tag: 'L13' };

/** All forms, oldest first. */
export const FORMS: readonly Form[] = [T16, T18, SEED, L0, L1, L2, L3, L4, L5, L6, L7, L8, L9, L10, L11, L12, L13];

/** The newest form. */
export const NEWEST: Form = L13;

/** Names of the switches: what a mutant flips. */
export const SWITCHES = (Object.keys(T16) as (keyof Form)[]).filter(
  (key): key is Switch => typeof T16[key] === 'boolean',
);

export type Switch = { [K in keyof Form]: Form[K] extends boolean ? K : never }[keyof Form];

/**
 * The form of a kernel: a form's own name, or the newest form that is not newer than a version (`6.1` is 5.17's).
 * `3.19.0` is `3.19`; a suffix such as `-56-amd64` is left out. @throws P2mError where there is none.
 */
export function formByKernel(kernel: string): Form {
  const named = FORMS.find((form) => form.name === kernel);
  if (named !== undefined) return named;
  const version = parseVersion(kernel);
  let found: Form | undefined;
  if (version !== undefined) {
    for (const form of FORMS) {
      const since = parseVersion(form.name);
      if (since !== undefined && compare(since, version) <= 0) found = form;
    }
  }
  if (found === undefined) {
    throw usageError('unknown kernel form', {
      got: JSON.stringify(kernel),
      expected: `a kernel version from 3.16 on, or one of ${FORMS.map((form) => form.name).join(', ')}`,
    });
  }
  return found;
}

/** `form` with one switch the other way round. */
export function mutant(form: Form, flipped: Switch): Form {
  return { ...form, name: `${form.name}~${flipped}`, [flipped]: !form[flipped] };
}

/** @throws P2mError when that kernel never ran on that architecture. */
export function checkGeometry(form: Form, geometry: Geometry): void {
  if (geometry.name === 'x86_32' && !form.has32bit) {
    throw usageError('this kernel has no 32-bit PV', {
      got: `--kernel ${form.name} --geometry ${geometry.name}`,
      expected: 'a kernel up to 5.8',
    });
  }
}

/** [major, minor, patch, release candidate or Infinity]; undefined where the text is no version. */
function parseVersion(text: string): readonly number[] | undefined {
  const match = /^v?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,4}))?(?:-rc(\d{1,3}))?(?:[-+~].*)?$/.exec(text);
  if (match === null) return undefined;
  const candidate = match[4] === undefined ? Infinity : Number(match[4]);
  return [Number(match[1]), Number(match[2]), Number(match[3] ?? 0), candidate];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  }
  return 0;
}
