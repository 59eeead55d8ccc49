import type { GalleryEntry } from './gallery_entry.js';

// The scenarios are small: lists of a few leaves on x86_64, whole PT pages (1 GiB, 0x40000 pfns) where a PMD must be shared.

/** The corrected defects of known-defects.md that show in the order of steps of two CPUs. */
export const RACES: readonly GalleryEntry[] = [
  {
    name: 'compare-value-read-again',
    defect: 'B0a',
    about:
      'The old tree reads the leaf again for the value to compare with, and replaces the leaf that another CPU has just linked.',
    scenario: {
      kernel: '3.16',
      layout: [['nr', '2048']],
      threads: [[['set', 0x1002, 'm:77']], [['set', 0x1003, 'm:78']]],
      check: ['lost-update', 'leak', 'use-after-free', 'not-linearizable'],
    },
    expect: { '3.16': 'violated', '3.18': 'ok', '3.19-rc1': 'ok', '7.0': 'ok' },
  },
  {
    name: 'freed-mid-mfn-used',
    defect: 'B0b',
    about:
      'Who loses the race for a mid page of the tools’ tree goes on with the page it has freed: the tools never see its leaf.',
    scenario: {
      kernel: '3.16',
      layout: [
        ['nr', '2048'],
        ['limit', '8'],
      ],
      threads: [[['set', 0x40002, 'm:77']], [['set', 0x40402, 'm:78']]],
      check: ['mfn-tree-misses-leaf'],
    },
    expect: { '3.16': 'violated', '3.18': 'ok', '3.19.8': 'ok', '7.0': 'ok' },
  },
  {
    name: 'freed-mid-used',
    defect: 'B0c',
    about: 'Who loses the race for a mid page of the old tree goes on with the page it has freed, and its set fails.',
    scenario: {
      kernel: '3.16',
      layout: [
        ['nr', '2048'],
        ['limit', '8'],
      ],
      threads: [[['set', 0x40002, 'm:77']], [['set', 0x40402, 'm:78']]],
      check: ['use-after-free', 'false-set'],
    },
    expect: { '3.16': 'violated', '3.18': 'violated', '3.19.8': 'ok', '7.0': 'ok' },
  },
  {
    name: 'stale-pte-pointer',
    defect: 'B3',
    about:
      'Who loses the race for a PMD keeps the pointer into the shared PT page, and links its leaf there: for every area.',
    scenario: {
      kernel: '3.19-rc1',
      layout: [
        ['nr', '1048576'],
        ['hole', '262144', '786432'],
      ],
      threads: [[['set', 0x40002, 'm:77']], [['set', 0x40003, 'm:78']]],
      check: ['shared-pte-page-written', 'private-page-changed', 'mfn-tree-misses-leaf', 'false-set'],
    },
    expect: { '7of8': 'violated', '3.19-rc1': 'violated', '3.19': 'ok', '3.19.8': 'ok', '7.0': 'ok' },
  },
  {
    name: 'stale-pte-pointer-pae',
    defect: 'B3',
    about:
      'The same under PAE, where a mid page has two PMDs: the loser of the one that covers its pfn keeps the old pointer.',
    scenario: {
      kernel: '3.19-rc1b-pae',
      layout: [
        ['nr', '4194304'],
        ['hole', '1048576', '3145728'],
      ],
      threads: [[['set', 0x100002, 'm:77']], [['set', 0x100003, 'm:78']]],
      check: ['shared-pte-page-written', 'mfn-tree-misses-leaf', 'false-set'],
    },
    expect: { '3.19-rc1b-pae': 'violated', '3.19-pae': 'ok', '3.19.8-pae': 'ok' },
  },
];

/** Those that one CPU alone runs into. */
export const SEQUENTIAL: readonly GalleryEntry[] = [
  {
    name: 'identity-leaf-written',
    defect: 'B0d',
    about: 'The old tree stores into the identity leaf that all share, says true, and look-ups go on saying identity.',
    scenario: {
      kernel: '3.18',
      layout: [
        ['nr', '2048'],
        ['identity', '2048', '4096'],
      ],
      threads: [
        [
          ['set', 0x802, 'm:77'],
          ['get', 0x802],
        ],
      ],
    },
    expect: { '3.16': 'violated', '3.18': 'violated', '3.19.8': 'ok', '7.0': 'ok' },
  },
  {
    name: 'identity-leaf-split-to-missing',
    defect: 'B0e',
    about: 'A leaf that the old tree makes of the identity leaf is filled with INVALID: 511 pfns lose their mapping.',
    scenario: {
      kernel: '3.18',
      layout: [
        ['nr', '2048'],
        ['identity', '2048', '4096'],
      ],
      threads: [[['alloc', 0x802]]],
      check: ['bystander-changed'],
    },
    expect: { '3.16': 'violated', '3.18': 'violated', '3.19.8': 'ok', '7.0': 'ok' },
  },
  {
    name: 'mfn-tree-by-virt-to-mfn',
    defect: 'B1',
    about:
      'The posted v3 takes the mfn of a leaf from its address in the vm area, which is not directly mapped: the tools read garbage.',
    scenario: {
      kernel: 'v3',
      layout: [['nr', '4096']],
      threads: [[['set', 0x402, 'm:77']]],
      check: ['mfn-tree-misses-leaf'],
    },
    expect: { v3: 'violated', '7of8': 'ok', '7.0': 'ok' },
  },
  {
    name: 'second-pmd-empty',
    defect: 'B2',
    about: 'Under PAE the second PMD of a uniform mid page is never populated: its first look-up faults.',
    scenario: {
      kernel: '3.19-rc1-pae',
      layout: [
        ['nr', '4194304'],
        ['hole', '1048576', '2097152'],
      ],
      threads: [[['get', 0x180002]]],
      check: ['BUG_ON'],
    },
    expect: { '3.19-rc1-pae': 'violated', '3.19-pae': 'ok', '3.19.8-pae': 'ok' },
  },
  {
    name: 'identity-base-unmasked',
    defect: 'B5',
    about:
      'A leaf made of the identity leaf counts from the pfn that was set, not from its first: 511 pfns map frames too high.',
    scenario: {
      kernel: '3.19-rc1',
      layout: [
        ['nr', '4096'],
        ['identity', '1024', '2048'],
      ],
      threads: [[['set', 0x402, 'm:77']]],
    },
    expect: { '3.19-rc1': 'violated', '3.19': 'violated', '3.19.8': 'ok', '7.0': 'ok' },
  },
  {
    name: 'list-without-room-for-hotplug',
    defect: 'B8',
    about: 'The list ends where the memory at boot ends: setting a hot-added pfn is a BUG.',
    scenario: {
      kernel: '3.19',
      layout: [
        ['nr', '4096'],
        ['limit', '8'],
      ],
      threads: [[['set', 0x40002, 'm:77']]],
    },
    expect: { '3.19-rc1': 'violated', '3.19': 'violated', '3.19.8': 'ok', '7.0': 'ok' },
  },
  {
    name: 'last-pfn-off-by-one',
    defect: 'B10',
    about: 'xen_p2m_last_pfn counts pfns, and gets the number of one: the rest of its leaf is never saved or migrated.',
    scenario: {
      kernel: '4.3',
      layout: [
        ['nr', '4096'],
        ['limit', '8'],
      ],
      threads: [
        [
          ['set', 0x40002, 'm:77'],
          ['set', 0x40003, 'm:78'],
        ],
      ],
      check: ['max-pfn-misses-leaf'],
    },
    expect: { '4.3': 'violated', '4.15': 'violated', '5.12': 'violated', '5.17': 'ok', '7.0': 'ok' },
  },
  {
    name: 'pfn-above-the-tree',
    defect: 'B11',
    about:
      'Setting a pfn above what the three-level tree spans is a BUG (512 GiB; 64 pfns on the tiny machine of the test).',
    scenario: {
      kernel: '4.0',
      geometry: 'tiny',
      layout: [
        ['nr', '128'],
        ['hole', '64', '128'],
      ],
      threads: [[['set', 70, 'm:77']]],
    },
    expect: { '3.19.8': 'violated', '4.0': 'violated', '4.3': 'ok', '7.0': 'ok' },
  },
  {
    name: 'out-of-range-store-dies',
    defect: 'B16',
    about: 'Storing a foreign page above the list is a BUG instead of an error.',
    scenario: {
      kernel: '5.10',
      layout: [['nr', '4096']],
      threads: [[['rawSet', 0x80002, 'f:77']]],
    },
    expect: { '3.19.8': 'violated', '5.10': 'violated', '5.12': 'ok', '7.0': 'ok' },
  },
];

/** Those that a scenario cannot show, and what it lacks. */
export const NOT_RUN: readonly GalleryEntry[] = [
  {
    name: 'writable-shared-leaf',
    defect: 'B4',
    about:
      'Shared leaves are mapped writable, and a store through a translation from before A6.6 lands in p2m_missing.',
    needs: 'tlb',
    expect: {},
  },
  {
    name: 'early-free',
    defect: 'B6',
    about: 'Freeing a p2m page before the slab allocator is up is a BUG.',
    needs: 'boot',
    expect: {},
  },
  {
    name: 'pte-read-twice',
    defect: 'B7',
    about: 'The compiler may read a PTE twice that ACCESS_ONCE names as a structure.',
    needs: 'compiler',
    expect: {},
  },
  {
    name: 'limit-told-as-max-pfn',
    defect: 'B9',
    about: 'The tools are told the limit of hotplug as max_pfn, and scan all of it.',
    needs: 'tools',
    expect: {},
  },
  {
    name: 'grant-batch-stops',
    defect: 'B13',
    about: 'A slot that is not FOREIGN ends the unmapping of the whole batch.',
    needs: 'grants',
    expect: {},
  },
  {
    name: 'kernel-map-status-ignored',
    defect: 'B14',
    about: 'An entry becomes FOREIGN though the kernel mapping of it failed.',
    needs: 'grants',
    expect: {},
  },
  {
    name: 'grant-batch-leaks',
    defect: 'B15',
    about: 'A slot without memory for its leaf ends the batch, and leaves the others mapped.',
    needs: 'grants',
    expect: {},
  },
  {
    name: 'override-machinery',
    defect: 'B12',
    about: 'Foreign frames are found by a hash of overrides and a scratch page; the whole of it was removed.',
    needs: 'grants',
    expect: {},
  },
  {
    name: 'fault-fixup-of-user-access',
    defect: 'B17',
    about:
      'The p2m store relies on a fault fixup of user access helpers, which from 4.20 on complain of kernel addresses.',
    needs: 'compiler',
    expect: {},
  },
  {
    name: 'list-in-the-way-of-e820',
    defect: 'B18',
    about: 'The builder’s list lies where the E820 map has something else.',
    needs: 'boot',
    expect: {},
  },
];
