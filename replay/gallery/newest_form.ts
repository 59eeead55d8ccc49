import type { GalleryEntry } from './gallery_entry.js';

/** What is wrong in the newest form too: found by exploring it, and in no list of corrected defects. */
export const NEWEST_FORM: readonly GalleryEntry[] = [
  {
    name: 'top-mfn-compared-too-early',
    defect: 'new',
    about:
      'Between A4.4 and A4.5 p2m_top_mfn and p2m_top_mfn_p name different mid pages: another CPU in A4.2 runs into BUG_ON.',
    scenario: {
      kernel: '7.0',
      layout: [
        ['nr', '786432'],
        ['hole', '262144', '524288'],
      ],
      threads: [[['set', 0x40002, 'm:77']], [['set', 0x40402, 'm:78']]],
      check: ['BUG_ON'],
    },
    expect: { '7of8': 'violated', '3.19': 'violated', '4.4': 'violated', '7.0': 'violated' },
  },
  {
    name: 'last-pfn-lost-update',
    defect: 'new',
    about:
      'A7 reads and writes xen_p2m_last_pfn outside the lock: of two CPUs that raise it the lower can win, and max_pfn with it.',
    scenario: {
      kernel: '7.0',
      layout: [
        ['nr', '4096'],
        ['limit', '8'],
      ],
      threads: [[['set', 0x40002, 'm:77']], [['set', 0x80002, 'm:78']]],
      check: ['last-pfn-too-low', 'shared-max_pfn-too-low', 'max-pfn-misses-leaf'],
    },
    expect: { '5.17': 'violated', '7.0': 'violated' },
  },
];
