import { mutant, type Switch } from '../../src/index.js';
import type { Mutant } from './mutant.js';

interface SwitchMutant {
  readonly what: string;
  readonly structure?: Mutant['structure'];
  readonly survives?: string;
}

const GRANTS = 'outside of a scenario: only grant operations read it';
const BOOT = 'outside of a scenario: only the boot reads it, and it was over when the first thread began';

/** What each switch of a form does when it is flipped; `SWITCHES` says which there are. */
const FLIPPED: Readonly<Record<Switch, SwitchMutant>> = {
  sharedLeavesReadOnly: {
    what: 'shared leaves are mapped writable, and looked at before a store (B4)',
    survives: 'needs a TLB: with coherent translations the look comes early enough, for a PTE never turns shared again',
  },
  mfnTreeFromPte: { what: 'the tools’ tree names leaves by virt_to_mfn of the vm area (B1)' },
  secondPmdPopulated: { what: 'the second PMD of a uniform mid page stays empty (B2)' },
  pmdLoserWalksAgain: { what: 'who loses the PMD race keeps the PTE pointer it had (B3)' },
  identityBaseMasked: { what: 'a leaf made of the identity leaf counts from the pfn that is set (B5)' },
  earlyFree: { what: 'freeing a page before the slab allocator is up is a BUG (B6)', survives: BOOT },
  p2mLimit: { what: 'the list has no room for hotplug (B8)' },
  m2pOverrides: { what: 'foreign mfns are found by m2p_overrides (B12)', survives: GRANTS },
  listForTools: {
    what: 'no list for tools: no generation, no xen_p2m_last_pfn',
    survives: 'a kernel that there was: up to 4.2 max_pfn names all the room from the boot on, so nothing is missed',
  },
  pfnAboveMax: { what: 'a pfn above what the tree spans is a BUG (B11)' },
  lastPfnAligned: { what: 'xen_p2m_last_pfn gets the number of the pfn, not the end of its leaf (B10)' },
  outOfRangeIsFalse: { what: 'a store beyond the list is a BUG (B16)' },
  grantErrorsPerSlot: { what: 'a grant slot that fails takes the batch with it (B13-B15)', survives: GRANTS },
  autoTranslatedChecks: {
    what: 'the operations return at once in an auto-translated domain',
    survives: 'outside of a scenario: its domain is not auto-translated',
  },
  has32bit: { what: 'there is a 32-bit PV', survives: 'not behaviour: it says which geometries the form runs on' },
  treeMidMfnLoserUsesWinner: {
    what: 'the loser of the race for a tools’ mid page goes on with the page it has freed (B0b)',
    structure: 'tree',
  },
  treeLeafReadOnce: {
    what: 'the leaf is read again for the value to compare with (B0a)',
    structure: 'tree',
  },
};

/** A mutant for each switch of a form: those of the old tree flip it there. */
export const SWITCH_MUTANTS: readonly Mutant[] = (Object.keys(FLIPPED) as Switch[]).map((flipped) => {
  const { what, structure = 'linear', survives } = FLIPPED[flipped];
  return {
    name: `switch-${flipped.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    where: flipped,
    what,
    structure,
    ...(survives === undefined ? {} : { survives }),
    apply: (scenario) => ({ ...scenario, form: mutant(scenario.form, flipped) }),
  };
});
