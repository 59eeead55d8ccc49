/**
 * The reviewer's questions of November 2014 on the patch that made the list linear (7 of 8, v3), each a test that bears
 * its number; docs/review-questions.md shows the same with commands.
 */
import { describe, expect, it } from 'vitest';
import { Global, INVALID, KINDS, mfnWord, Operation, Pattern } from '../events/index.js';
import {
  alignUp,
  Domain,
  FORMS,
  formByKernel,
  GEOMETRIES,
  mutant,
  NO_PAGE,
  pteWritable,
  sharedIntact,
  SIF_VIRT_P2M_4TOOLS,
  structure,
  makePte,
  type Form,
  type GeometryName,
} from '../src/index.js';
import { maxDomainPages } from '../src/tree/xen_build_dynamic_phys_to_machine.js';
import { Booted, dump, FIRST_MFN, look, PAGES_PER_GIB, PAGES_PER_MIB, tookOver, type Plan } from './booted.js';
import { stepTo } from './src/leaves.js';

const LINEAR = FORMS.filter((form) => form.structure === 'linear');
const TREES = FORMS.filter((form) => form.structure === 'tree');
const MIB_2049 = 2049 * PAGES_PER_MIB;
const MIB_5000 = 5000 * PAGES_PER_MIB;

describe('Q1: nr_pages that is no multiple of a leaf', () => {
  const sizes: [GeometryName, number][] = [
    ['x86_64', MIB_2049],
    ['x86_64', MIB_5000],
    ['x86_64', 1],
    ['x86_64', 1281],
    ['x86_32', MIB_2049],
    ['x86_32', 1281],
    ['tiny', 17],
  ];

  it.each(sizes)(
    'Q1: the tail of an odd nr_pages is INVALID before anything reads it (%s, %i)',
    (geometry, nrPages) => {
      for (const form of LINEAR.filter((f) => f.has32bit || geometry !== 'x86_32')) {
        const { domain, seen } = tookOver(form, geometry, nrPages);
        const size = alignUp(nrPages, domain.geometry.perPage);
        expect(dump(domain, 0, size), form.name).toEqual([
          [0, 'mfn', `m:${FIRST_MFN}`],
          ...(size > nrPages ? [[nrPages, 'missing']] : []),
        ]);
        // Nothing but these stores lies between the size and xen_max_p2m_pfn, the last thing that the function writes.
        const tail = Array.from({ length: size - nrPages }, (_, i) => [KINDS.set_entry.id, nrPages + i]);
        expect(seen.slice(-tail.length - 3).map(({ kind, a }) => [kind, a])).toEqual([
          [KINDS.set_global.id, Global.xen_p2m_size],
          ...tail,
          [KINDS.set_global.id, Global.xen_max_p2m_pfn],
          [KINDS.return.id, Operation.xen_build_dynamic_phys_to_machine],
        ]);
      }
    },
  );

  it.each(FORMS)('Q1: a domain of 2049 MB, and one of 5000 MB, end where their pages end in $name', (form) => {
    for (const [nrPages, leaves] of [
      [MIB_2049, 1025],
      [MIB_5000, 2500],
    ] as const) {
      const booted = new Booted(form, { nrPages });
      expect(booted.dump(0, alignUp(nrPages, PAGES_PER_GIB))).toEqual([
        [0, 'mfn', `m:${FIRST_MFN}`],
        [nrPages, 'identity'],
      ]);
      expect(booted.privateLeaves()).toBe(leaves);
      expect(sharedIntact(booted.domain.memory)).toBe(true);
    }
  });

  it.each(FORMS)('Q1: where RAM goes on behind an odd end, the tail stays INVALID in $name', (form) => {
    const booted = new Booted(form, { nrPages: 1281, extra: [{ pfnStart: 1281, pfnEnd: 2048 }] });
    expect(booted.dump(1280, 4096)).toEqual([
      [1280, 'mfn', `m:${FIRST_MFN + 1280}`],
      [1281, 'missing'],
      [2048, 'identity'],
    ]);
  });
});

describe('Q2: what xen_max_p2m_pfn is', () => {
  const odd: Plan = { nrPages: 1000 };
  const more: Plan = { nrPages: 1000, extra: [{ pfnStart: 2048, pfnEnd: 3000 }] };
  const steps = (form: Form, plan: Plan): number[] => new Booted(form, plan).written(Global.xen_max_p2m_pfn);

  it.each(LINEAR)('Q2: in $name it is the rounded list, then the end of extra memory, then the area', (form) => {
    expect(steps(form, odd)).toEqual([1024, PAGES_PER_GIB]);
    expect(steps(form, more)).toEqual([1024, 3000, PAGES_PER_GIB]);
  });

  it.each(TREES)('Q2: in $name it was nr_pages itself, then the end of extra memory', (form) => {
    expect(steps(form, odd)).toEqual([1000]);
    expect(steps(form, more)).toEqual([1000, 3000]);
  });

  it('Q2: the tools are told the area up to 4.2 (B9), and from 4.3 on where RAM ends', () => {
    const told = (form: Form): number[] =>
      [0, 512 * PAGES_PER_GIB].map((limit) =>
        new Booted(form, more, 'x86_64', limit).global(Global['shared_info.max_pfn']),
      );
    for (const form of LINEAR) {
      const area = form.p2mLimit ? 512 * PAGES_PER_GIB : PAGES_PER_GIB;
      const lists = form.listForTools ? [3000, 3000] : [PAGES_PER_GIB, area];
      expect(told(form), form.name).toEqual(lists);
    }
    expect(told(mutant(formByKernel('7.0'), 'listForTools'))).toEqual([PAGES_PER_GIB, 512 * PAGES_PER_GIB]);
    expect(told(mutant(formByKernel('4.0'), 'p2mLimit'))).toEqual([PAGES_PER_GIB, PAGES_PER_GIB]);
  });
});

describe('Q3: a look-up behind nr_pages', () => {
  it.each(LINEAR)('Q3: before the rebuild it is INVALID in extra memory, else identity, in $name', (form) => {
    const { domain } = tookOver(form, 'x86_64', 1000);
    domain.setExtraMem([[2048, 952]]);
    expect(look(domain, 2048), 'xen_max_p2m_pfn does not reach it yet').toEqual(['i:2048']);
    domain.setGlobal(Global.xen_max_p2m_pfn, 3000);
    expect(look(domain, 999, 1000, 1023)).toEqual(['m:1999', '~', '~']);
    expect(look(domain, 1024, 2047, 2048, 2999, 3000)).toEqual(['i:1024', 'i:2047', '~', '~', 'i:3000']);
    const { getPhysToMachine } = domain.machines;
    expect(domain.run('get_phys_to_machine', getPhysToMachine, 2048)).toEqual({ kind: 'word', value: INVALID });
  });

  it.each(LINEAR)('Q3: after boot it is INVALID in extra memory, else identity, for any pfn, in $name', (form) => {
    const booted = new Booted(form, { nrPages: 1000, extra: [{ pfnStart: 2048, pfnEnd: 3000 }] });
    expect(booted.look(1000, 1023, 1024, 2047)).toEqual(['~', '~', 'i:1024', 'i:2047']);
    expect(booted.look(2048, 2999, 3000)).toEqual(['~', '~', 'i:3000']);
    expect(booted.look(2 ** 18, 2 ** 27, 2 ** 40)).toEqual(['i:262144', 'i:134217728', 'i:1099511627776']);
  });

  it.each(TREES)('Q3: $name called all of it INVALID, up to MAX_P2M_PFN', (form) => {
    const { domain } = tookOver(form, 'x86_64', 1000);
    expect(domain.geometry.maxP2mPfn).toBe(2 ** 27);
    expect(look(domain, 1000, 1024, 2 ** 18, 2 ** 27 - 1, 2 ** 27)).toEqual(['~', '~', '~', '~', 'i:134217728']);
  });
});

describe('Q4: MAX_DOMAIN_PAGES', () => {
  // A tiny tree spans 64 pfns, and that is its limit.
  const plan: Plan = { nrPages: 80, holes: [{ pfnStart: 68, pfnEnd: 80 }] };

  it('Q4: it was 500 GiB on 64 bit and 64 GiB on 32 bit; a tiny tree stops at what it spans', () => {
    expect(maxDomainPages(GEOMETRIES.x86_64)).toBe(500 * PAGES_PER_GIB);
    expect(maxDomainPages(GEOMETRIES.x86_32)).toBe(64 * PAGES_PER_GIB);
    expect(maxDomainPages(GEOMETRIES.tiny)).toBe(64);
  });

  it.each(TREES)('Q4: $name drops the pages behind it: they are identity, their frames are lost', (form) => {
    const booted = new Booted(form, plan, 'tiny');
    expect(booted.global(Global.xen_max_p2m_pfn)).toBe(64);
    expect(booted.look(63, 64, 67)).toEqual(['m:1063', 'i:64', 'i:67']);
    expect(booted.set(64, 'm:1064')).toBe('BUG beyond-size');
  });

  it.each(LINEAR)('Q4: $name has all nr_pages in the list', (form) => {
    const booted = new Booted(form, plan, 'tiny');
    expect(booted.global(Global.xen_max_p2m_pfn)).toBe(80);
    expect(booted.look(63, 64, 67, 68, 80)).toEqual(['m:1063', 'm:1064', 'm:1067', '~', 'i:80']);
    expect(booted.set(64, 'm:5')).toBe('true');
  });

  it.each(LINEAR)('Q4: behind what the tree spans a first store is a BUG up to 4.2 (B11): $name', (form) => {
    const tried = (kernel: Form): string => new Booted(kernel, plan, 'tiny').set(70, 'm:5');
    const bug = 'BUG pfn-above-max';
    expect(tried(form)).toBe(form.pfnAboveMax ? 'true' : bug);
    expect(tried(mutant(form, 'pfnAboveMax'))).toBe(form.pfnAboveMax ? bug : 'true');
  });
});

describe('Q5: how the shared pages are protected', () => {
  const plan: Plan = { nrPages: 3072, holes: [{ pfnStart: 1024, pfnEnd: 2048 }] };
  const pfn = 0x405;

  /** Labels of a __set_phys_to_machine of a pfn whose leaf is shared. */
  function labels(form: Form): string[] {
    const { domain } = new Booted(form, plan);
    const cpu = domain.cpus[0]!;
    const found: string[] = [];
    domain.begin('__set_phys_to_machine', domain.machines.setPhysToMachineNoAlloc, pfn, mfnWord(77));
    while (cpu.state === 'running') {
      found.push(cpu.row.label);
      cpu.step();
    }
    expect(domain.end('__set_phys_to_machine')).toEqual({ kind: 'bool', value: 0 });
    expect(sharedIntact(domain.memory)).toBe(true);
    return found;
  }

  it.each(LINEAR)('Q5: in $name a store faults where the page is read-only, else it looks at the PTE first', (form) => {
    const looks = ['S1', "S2'", "S3'"];
    const faults = ['S1', 'S2', 'S3', 'S4'];
    expect(labels(form)).toEqual(form.sharedLeavesReadOnly ? faults : looks);
    expect(labels(mutant(form, 'sharedLeavesReadOnly'))).toEqual(form.sharedLeavesReadOnly ? looks : faults);
  });

  it('Q5: between 7 of 8 and 8 of 8 the hardware lets a store into the shared leaf through', () => {
    for (const form of LINEAR) {
      const { memory } = new Booted(form, plan).domain;
      const open = form.name === 'v3' || form.name === '7of8';
      expect(pteWritable(memory.pteOf(pfn)), form.name).toBe(open);
      expect(memory.storePage(pfn), form.name).toBe(open ? memory.words[Global.p2m_missing] : NO_PAGE);
    }
  });
});

describe('Q6: when "a little bit later" is', () => {
  const plan: Plan = { nrPages: 1000, extra: [{ pfnStart: 1024, pfnEnd: 1200 }] };

  it.each(LINEAR)('Q6: the list, extra memory, the old list, the tree, shared info: in this order in $name', (form) => {
    const booted = new Booted(form, plan);
    const wrote = KINDS.set_global.id;
    const places = [
      booted.place(wrote, Global.xen_p2m_addr, 2),
      booted.place(KINDS.set_entry.id, 1199),
      booted.place(KINDS.free_page.id, 1),
      booted.place(KINDS.return.id, Operation.xen_pagetable_p2m_setup),
      booted.place(KINDS.call.id, Operation.xen_build_mfn_list_list),
      booted.place(wrote, Global.p2m_top_mfn),
      booted.place(wrote, Global.HYPERVISOR_shared_info, 1),
      booted.place(wrote, Global['shared_info.pfn_to_mfn_frame_list_list']),
    ];
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[4], 'nothing in between').toBe(places[3]! + 1);
  });

  it.each(LINEAR.filter((form) => form.has32bit))(
    'Q6: a shared PT page for half a mid page is a BUG in $name',
    (form) => {
      const d = new Domain({ form, geometry: GEOMETRIES['tiny-pae'], nrPages: 16 });
      d.boot(16, [[16, mfnWord(FIRST_MFN), 1]]);
      expect(d.run('xen_vmalloc_p2m_tree', d.machines.xenVmallocP2mTree, 0).kind).toBe('void');
      d.cpus[0]!.port.setPmd(8, makePte(d.global(Global.p2m_missing_pte), true));
      const build = d.run('xen_build_mfn_list_list', d.machines.xenBuildMfnListList, 0);
      expect(build).toEqual({ kind: 'bug', bug: 'mididx' });
    },
  );

  it('Q6: from 4.3 on there is no tree where the tools read the list itself', () => {
    const top = (kernel: string): number =>
      new Booted(kernel, { ...plan, startFlags: SIF_VIRT_P2M_4TOOLS }).global(Global.p2m_top_mfn);
    expect(['4.3', '7.0'].map(top)).toEqual([NO_PAGE, NO_PAGE]);
    expect(top('4.2')).not.toBe(NO_PAGE);
  });
});

describe('Q7: i = 3 and the fresh page', () => {
  const plan: Plan = { nrPages: 2049, holes: [{ pfnStart: 0x400, pfnEnd: 0x403 }] };

  it.each(LINEAR)('Q7: what the fresh page held does not matter, all of it is copied over, in $name', (form) => {
    const d = new Domain({ form, geometry: GEOMETRIES.x86_64, nrPages: 2560 });
    d.boot(2560, [
      [0x400, mfnWord(FIRST_MFN), 1],
      [3, INVALID, 0],
      [2560 - 0x403, mfnWord(FIRST_MFN + 0x403), 1],
    ]);
    const cpu = d.cpus[0]!;
    d.begin('xen_vmalloc_p2m_tree', d.machines.xenVmallocP2mTree, 0);
    for (let leaf = 0; leaf < 5; leaf++) {
      stepTo(cpu, '4.6.6d');
      cpu.step();
      expect(cpu.row.does).toBe('copy the page of the list');
      const home = d.memory.homes[cpu.top.leaf]!;
      d.memory.words.fill(mfnWord(0xdead), home, home + d.geometry.perPage);
      while (cpu.row.label === '4.6.6d') cpu.step();
    }
    cpu.run();
    expect(d.end('xen_vmalloc_p2m_tree').kind).toBe('void');
    expect(dump(d, 0, PAGES_PER_GIB)).toEqual([
      [0, 'mfn', 'm:1000'],
      [0x400, 'missing'],
      [0x403, 'mfn', 'm:2027'],
      [2560, 'identity'],
    ]);
  });

  it.each(LINEAR)('Q7: three INVALID entries and three of identity make their leaf an own copy in $name', (form) => {
    const identity = { nrPages: 2049, identity: [{ pfnStart: 0x400, pfnEnd: 0x403 }] };
    for (const [what, booted] of [
      ['missing', new Booted(form, plan)],
      ['identity', new Booted(form, identity)],
    ] as const) {
      expect(booted.dump(0x3ff, 0x404)).toEqual([
        [0x3ff, 'mfn', 'm:2023'],
        [0x400, what],
        [0x403, 'mfn', 'm:2027'],
      ]);
      expect(booted.privateLeaves()).toBe(5);
    }
  });

  it('Q7: on 32 bit nothing is copied: the page of the list is the leaf', () => {
    const { memory } = new Booted('3.19', plan, 'x86_32').domain;
    expect(structure(memory).leaves[0]).toEqual([0, 3, 'init#0']);
  });

  it("Q7: nothing is copied but the pages of the builder's list", () => {
    const { seen } = new Booted('3.19', { nrPages: 2049, extra: [{ pfnStart: 2560, pfnEnd: 9000 }] });
    const copies = seen.filter(({ kind, b }) => kind === KINDS.fill_page.id && b === Pattern.copy);
    expect(copies.map(({ c }) => c)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('Q8: vmalloc=1MB and a guest of 400 GB', () => {
  const MIB = 2 ** 20;

  /** Bytes of addresses that a list of so many GiB takes. */
  function listBytes(geometry: GeometryName, gib: number): number {
    const booted = new Booted('4.4', { nrPages: 2049 }, geometry, gib * PAGES_PER_GIB);
    return (booted.global(Global.xen_p2m_size) * GEOMETRIES[geometry].entryBits) / 8;
  }

  it('Q8: on 64 bit the list takes 2 MiB of addresses a GiB: 800 MiB for 400 GiB', () => {
    expect([1, 2, 400].map((gib) => listBytes('x86_64', gib) / MIB)).toEqual([2, 4, 800]);
  });

  it('Q8: on 32 bit it takes 4 MiB for each 4 GiB begun: 64 MiB for 64 GiB, half of the 128 MiB reserve', () => {
    expect([1, 4, 5, 64].map((gib) => listBytes('x86_32', gib) / MIB)).toEqual([4, 4, 8, 64]);
  });

  it('Q8: the addresses cost no memory: 400 GiB of them, 5 leaves and 1 PT page', () => {
    const { memory } = new Booted('7.0', { nrPages: 2049 }, 'x86_64', 400 * PAGES_PER_GIB).domain;
    expect(structure(memory)).toMatchObject({
      ptePages: [
        [0, 1, 'pte#0'],
        [1, 399, 'identity_pte'],
      ],
      leaves: [
        [0, 5, 'leaf#0'],
        [5, 400 * 512 - 5, 'identity'],
      ],
    });
  });
});

describe('Q9: the part behind the last E820 entry', () => {
  it.each(LINEAR)(
    'Q9: setup.c marks what the list has room for, the rebuild shares all that is behind, in $name',
    (form) => {
      const booted = new Booted(form, { nrPages: 2049 });
      const ranges = booted.seen.filter(({ kind }) => kind === KINDS.identity_range.id).map(({ a, b }) => [a, b]);
      expect(ranges).toEqual([[2049, 2560]]);
      expect(structure(booted.domain.memory).leaves).toEqual([
        [0, 5, 'leaf#0'],
        [5, 507, 'identity'],
      ]);
    },
  );

  it.each(LINEAR)('Q9: where RAM is far above, all between is identity by a shared PT page in $name', (form) => {
    const far = { pfnStart: 4 * PAGES_PER_GIB - 512, pfnEnd: 4 * PAGES_PER_GIB };
    const booted = new Booted(form, { nrPages: 2049, extra: [far] });
    expect(structure(booted.domain.memory).ptePages).toEqual([
      [0, 1, 'pte#0'],
      [1, 2, 'identity_pte'],
      [3, 1, 'pte#1'],
    ]);
    expect(booted.dump(2049, far.pfnEnd)).toEqual([
      [2049, 'missing'], // the last E820 entry ends behind it: setup.c does not call it identity
      [2560, 'identity'],
      [far.pfnStart, 'missing'],
    ]);
  });
});
