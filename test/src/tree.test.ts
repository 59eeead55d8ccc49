import { describe, expect, it } from 'vitest';
import { Global, INVALID, KINDS, kindName, Role } from '../../events/index.js';
import {
  Domain,
  digests,
  entryRuns,
  formByKernel,
  GEOMETRIES,
  LeafClass,
  leafClass,
  lookUp,
  sharedIntact,
  structure,
} from '../../src/index.js';
import { maxDomainPages } from '../../src/tree/xen_build_dynamic_phys_to_machine.js';
import { FIRST_MFN, get, set, treeDomain, TREES } from './tree_domain.js';

const ok = { kind: 'bool', value: 1 };
const refused = { kind: 'bool', value: 0 };

/** What each leaf of tiny's tree is, in order of pfns, by the names of `structure`. */
function leafNames(d: Domain): string[] {
  return expand(structure(d.memory).leaves);
}

function midNames(d: Domain): string[] {
  return expand(structure(d.memory).ptePages);
}

/** `[0, 2, 'leaf#3']` is leaf#3, leaf#4. */
function expand(runs: readonly (readonly [number, number, string])[]): string[] {
  return runs.flatMap(([, count, name]) => {
    const [stem, first] = name.split('#');
    return Array.from({ length: count }, (_, i) => (first === undefined ? name : `${stem}#${Number(first) + i}`));
  });
}

describe.each(TREES)('the old tree, %s', (kernel) => {
  describe('xenBuildDynamicPhysToMachine', () => {
    it("takes the builder's pages as leaves, in place", () => {
      const d = treeDomain({ kernel, nrPages: 20 });
      expect(leafNames(d).slice(0, 6)).toEqual(['init#0', 'init#1', 'init#2', 'init#3', 'init#4', 'missing']);
      expect(midNames(d)).toEqual(['tree_mid#0', 'tree_mid#1', 'tree_mid_missing', 'tree_mid_missing']);
      expect([get(d, 0), get(d, 19)]).toEqual([`m:${FIRST_MFN}`, `m:${FIRST_MFN + 19}`]);
      expect(sharedIntact(d.memory)).toBe(true);
    });

    it('makes the tail of the last page INVALID, and only the tail', () => {
      const d = treeDomain({ kernel, nrPages: 10 });
      expect([9, 10, 11, 12].map((pfn) => get(d, pfn))).toEqual([`m:${FIRST_MFN + 9}`, '~', '~', '~']);
    });

    it('counts pages, not leaves, in xen_max_p2m_pfn, and leaves the words of the linear list alone', () => {
      const d = treeDomain({ kernel, nrPages: 10 });
      expect(d.global(Global.xen_max_p2m_pfn)).toBe(10);
      expect([d.global(Global.xen_p2m_size), d.global(Global.xen_p2m_addr)]).toEqual([0, 0]);
    });

    it('takes over 500 GiB at most on 64 bit, 64 GiB on 32 bit, and what a tiny tree spans', () => {
      expect(maxDomainPages(GEOMETRIES.x86_64)).toBe(500 * 2 ** 18);
      expect(maxDomainPages(GEOMETRIES.x86_32)).toBe(64 * 2 ** 18);
      expect(maxDomainPages(GEOMETRIES.tiny)).toBe(GEOMETRIES.tiny.maxP2mPfn);
      const d = treeDomain({ kernel, nrPages: 70, tools: false });
      expect(d.global(Global.xen_max_p2m_pfn)).toBe(64);
      expect([get(d, 63), get(d, 64)]).toEqual([`m:${FIRST_MFN + 63}`, 'i:64']);
    });

    it('leaves what lies behind 64 GiB of a 32-bit list missing', () => {
      const last = 64 * 2 ** 18 - 1;
      const d = treeDomain({ kernel, geometry: 'x86_32', nrPages: last + 6, tools: false });
      expect([get(d, last), get(d, last + 1)]).toEqual([`m:${FIRST_MFN + last}`, '~']);
      d.flush();
    });

    it('does nothing in an auto-translated domain', () => {
      const d = new Domain({ form: formByKernel(kernel), geometry: GEOMETRIES.tiny, nrPages: 4 });
      d.setGlobal(Global.auto_translated, 1);
      d.boot(4, [[4, INVALID, 0]]);
      expect(d.global(Global.p2m_top)).toBe(0);
    });
  });

  describe('setPhysRangeIdentity', () => {
    const range = (d: Domain, start: number, end: number): unknown =>
      d.run('set_phys_range_identity', d.machines.setPhysRangeIdentity, start, 0, end);

    it('splits the leaves at both edges, and shares the leaves and mid pages between them', () => {
      const d = treeDomain({ kernel, nrPages: 4, identity: [[10, 54]] });
      expect(leafNames(d)).toEqual([
        ...['init#0', 'missing', 'leaf#0', 'identity'],
        ...Array.from({ length: 8 }, () => 'identity'),
        ...['identity', 'leaf#1', 'missing', 'missing'],
      ]);
      expect(midNames(d)).toEqual(['tree_mid#0', 'tree_mid_identity', 'tree_mid_identity', 'tree_mid#1']);
      expect([9, 10, 11, 12, 53, 54].map((pfn) => get(d, pfn))).toEqual(['~', 'i:10', 'i:11', 'i:12', 'i:53', '~']);
      expect(sharedIntact(d.memory)).toBe(true);
    });

    it("writes the entries of the builder's pages in place", () => {
      const d = treeDomain({ kernel, nrPages: 12, identity: [[3, 9]] });
      expect(leafNames(d).slice(0, 3)).toEqual(['init#0', 'init#1', 'init#2']);
      expect([2, 3, 8, 9].map((pfn) => get(d, pfn))).toEqual(['m:1002', 'i:3', 'i:8', 'm:1009']);
    });

    it('answers how many pfns, up to MAX_P2M_PFN', () => {
      const d = treeDomain({ kernel, nrPages: 4 });
      expect(range(d, 5, 7)).toEqual({ kind: 'count', value: 2 });
      expect(range(d, 7, 5)).toEqual({ kind: 'count', value: 0 });
      expect(range(d, 30, 2 ** 52)).toEqual({ kind: 'count', value: 34 });
      expect(range(d, 64, 70)).toEqual({ kind: 'count', value: 0 });
      expect([29, 30, 63].map((pfn) => get(d, pfn))).toEqual(['~', 'i:30', 'i:63']);
    });

    it('splits the leaf that an empty range lies in', () => {
      const d = treeDomain({ kernel, nrPages: 4, identity: [[21, 21]] });
      expect(leafNames(d).slice(4, 7)).toEqual(['missing', 'leaf#0', 'missing']);
      expect(get(d, 21)).toBe('~');
    });

    it('covers the 512 GiB of x86_64 with no more than the pages of its edges', () => {
      const d = treeDomain({ kernel, geometry: 'x86_64', nrPages: 1000 });
      const before = d.batch.length;
      range(d, 1_000_001, 2 ** 52);
      let pages = 0;
      for (let i = before; i < d.batch.length; i++) if (d.batch.kind[i] === KINDS.alloc_page.id) pages++;
      expect(pages).toBe(2); // a mid page and a leaf at the start; the end is a whole mid page
      expect([1_000_000, 1_000_001, 2 ** 27 - 1].map((pfn) => get(d, pfn))).toEqual(['~', 'i:1000001', 'i:134217727']);
    });

    it('says how many and does nothing in an auto-translated domain', () => {
      const d = treeDomain({ kernel, nrPages: 4 });
      d.setGlobal(Global.auto_translated, 1);
      expect(range(d, 8, 16)).toEqual({ kind: 'count', value: 8 });
      expect(get(d, 8)).toBe('~');
    });

    it('is a BUG where an edge gets no page', () => {
      const d = treeDomain({ kernel, nrPages: 4 });
      d.armFailure(1, 0);
      expect(range(d, 21, 24)).toEqual({ kind: 'bug', bug: 'null-page' });
      d.armFailure(2, 0);
      expect(range(d, 21, 24)).toEqual({ kind: 'bug', bug: 'null-page' });
    });
  });

  describe('getPhysToMachine', () => {
    it('calls what was never set INVALID up to MAX_P2M_PFN, and identity from there on', () => {
      const d = treeDomain({ kernel, nrPages: 4 });
      expect([4, 63, 64, 2 ** 40].map((pfn) => get(d, pfn))).toEqual(['~', '~', 'i:64', 'i:1099511627776']);
    });

    it('is also what __pfn_to_mfn and pfn_to_mfn see', () => {
      const d = treeDomain({ kernel, nrPages: 4, identity: [[16, 32]] });
      set(d, 40, 'f:7');
      const raw = (pfn: number): unknown => d.run('__pfn_to_mfn', d.machines.pfnToMfnRaw, pfn);
      const plain = (pfn: number): unknown => d.run('pfn_to_mfn', d.machines.pfnToMfn, pfn);
      const word = (text: string): unknown => ({ kind: 'word', value: d.memory.codec.parse(text) });
      expect([raw(1), raw(17), raw(40)]).toEqual([word('m:1001'), word('i:17'), word('f:7')]);
      expect([plain(1), plain(17), plain(40), plain(5)]).toEqual([
        word('m:1001'),
        word('m:17'),
        word('m:7'),
        word('~'),
      ]);
    });
  });

  describe('setPhysToMachineNoAlloc', () => {
    const store = (d: Domain, pfn: number, value: string): unknown =>
      d.run('__set_phys_to_machine', d.machines.setPhysToMachineNoAlloc, pfn, d.memory.codec.parse(value));

    it('refuses a frame for p2m_missing, and takes INVALID', () => {
      const d = treeDomain({ kernel, nrPages: 4 });
      expect([store(d, 20, 'm:1'), store(d, 20, '~')]).toEqual([refused, ok]);
      expect(sharedIntact(d.memory)).toBe(true);
    });

    it('changes a missing mid page, and a missing leaf, to the shared identity one as a whole', () => {
      const d = treeDomain({ kernel, nrPages: 4 });
      expect(store(d, 20, 'i:20')).toEqual(ok);
      expect(midNames(d)[1]).toBe('tree_mid_identity');
      expect(store(d, 9, 'i:9')).toEqual(ok);
      expect(leafNames(d).slice(0, 4)).toEqual(['init#0', 'missing', 'identity', 'missing']);
      expect([store(d, 20, 'i:20'), store(d, 10, 'i:10')]).toEqual([ok, ok]);
      expect([8, 11, 12, 16, 31].map((pfn) => get(d, pfn))).toEqual(['i:8', 'i:11', '~', 'i:16', 'i:31']);
    });

    it('stores an identity value in a leaf of its own', () => {
      const d = treeDomain({ kernel, nrPages: 4 });
      expect(store(d, 2, 'i:2')).toEqual(ok);
      expect([get(d, 1), get(d, 2)]).toEqual(['m:1001', 'i:2']);
    });

    it('takes INVALID and nothing else from MAX_P2M_PFN on', () => {
      const d = treeDomain({ kernel, nrPages: 4 });
      expect(store(d, 64, '~')).toEqual(ok);
      expect(store(d, 64, 'i:64')).toEqual({ kind: 'bug', bug: 'beyond-size' });
      expect(store(d, 2 ** 40, 'm:1')).toEqual({ kind: 'bug', bug: 'beyond-size' });
    });

    it('B0d: stores a frame into the shared identity leaf and answers true, while look-ups go on saying identity', () => {
      const d = treeDomain({ kernel, nrPages: 4, identity: [[16, 48]] });
      expect(store(d, 21, 'm:77')).toEqual(ok);
      expect(get(d, 21)).toBe('i:21');
      const shared = d.global(Global.p2m_identity);
      expect(d.memory.codec.format(d.memory.loadEntryOf(shared, 21))).toBe('m:77');
      expect(sharedIntact(d.memory)).toBe(false);
      expect(d.memory.codec.format(lookUp(d.memory, 21))).toBe('i:21');
    });
  });

  describe('allocP2m', () => {
    const alloc = (d: Domain, pfn: number): unknown => d.run('xen_alloc_p2m_entry', d.machines.allocP2m, pfn);

    it("gives a missing pfn a mid page, a leaf, and both in the tools' tree", () => {
      const d = treeDomain({ kernel, nrPages: 4 });
      expect(set(d, 21, 'm:5')).toEqual(ok);
      expect([20, 21, 22].map((pfn) => get(d, pfn))).toEqual(['~', 'm:5', '~']);
      const s = structure(d.memory);
      expect(expand(s.ptePages)[1]).toBe('tree_mid#1');
      expect(expand(s.leaves)[5]).toBe('leaf#0');
      expect(expand(s.top!)).toEqual(['mid#0', 'mid#1', 'mid_missing', 'mid_missing']);
      expect(expand(s.mids!['mid#1']!)).toEqual(['missing', 'leaf#0', 'missing', 'missing']);
      expect(s.topP).toBeUndefined();
    });

    it('has nothing to do for a leaf of its own', () => {
      const d = treeDomain({ kernel, nrPages: 4 });
      const before = d.batch.length;
      expect(alloc(d, 1)).toEqual({ kind: 'errno', value: 0 });
      expect(kinds(d, before)).toEqual(['call', 'return']);
    });

    it("works before the tools' tree is built", () => {
      const d = treeDomain({ kernel, nrPages: 4, tools: false });
      expect(set(d, 21, 'm:5')).toEqual(ok);
      expect(get(d, 21)).toBe('m:5');
    });

    it('is a BUG from MAX_P2M_PFN on', () => {
      expect(alloc(treeDomain({ kernel, nrPages: 4 }), 64)).toEqual({ kind: 'bug', bug: 'pfn-above-max' });
    });

    it('B0e: splits an identity leaf into one of INVALID entries', () => {
      const d = treeDomain({ kernel, nrPages: 4, identity: [[8, 12]] });
      expect(leafNames(d)[2]).toBe('identity');
      expect(alloc(d, 9)).toEqual({ kind: 'errno', value: 0 });
      expect([8, 9, 10, 11].map((pfn) => get(d, pfn))).toEqual(['~', '~', '~', '~']);
    });

    it.each([
      [1, 'tree_mid', 'tree_mid_missing', 'mid_missing'],
      [2, 'mid', 'tree_mid#1', 'mid_missing'],
      [3, 'leaf', 'tree_mid#1', 'mid#1'],
    ])('answers false where allocation %i, of a %s, fails; what it installed before stays', (at, role, mid, tools) => {
      const d = treeDomain({ kernel, nrPages: 4 });
      d.armFailure(at, 0);
      const before = d.batch.length;
      expect(set(d, 21, 'm:5')).toEqual(refused);
      const failed = rowsOf(d, before, KINDS.alloc_failed.id);
      expect(failed.map((i) => d.batch.a[i])).toEqual([Role[role as 'leaf']]);
      expect(midNames(d)[1]).toBe(mid);
      expect(expand(structure(d.memory).top!)[1]).toBe(tools);
      expect(get(d, 21)).toBe('~');
      expect(set(d, 21, 'm:5')).toEqual(ok);
      expect(get(d, 21)).toBe('m:5');
    });
  });

  describe('xenBuildMfnListList', () => {
    it("names the page of each leaf up to xen_max_p2m_pfn, the builder's in place", () => {
      const d = treeDomain({ kernel, nrPages: 24, identity: [[8, 12]] });
      const s = structure(d.memory);
      expect(expand(s.top!)).toEqual(['mid#0', 'mid#1', 'mid_missing', 'mid_missing']);
      expect(expand(s.mids!['mid#0']!)).toEqual(['init#0', 'init#1', 'init#2', 'init#3']);
      expect(expand(s.mids!['mid#1']!)).toEqual(['init#4', 'init#5', 'missing', 'missing']);
      expect(d.global(Global['shared_info.max_pfn'])).toBe(24);
      expect(d.global(Global['shared_info.pfn_to_mfn_frame_list_list'])).toBe(d.global(Global.p2m_top_mfn));
    });

    it('writes a mid page of identity out, and leaves a missing one shared', () => {
      const d = treeDomain({ kernel, nrPages: 4, identity: [[32, 48]], tools: false });
      d.setGlobal(Global.xen_max_p2m_pfn, 48); // as extra memory up to there does
      expect(d.run('xen_build_mfn_list_list', d.machines.xenBuildMfnListList, 0)).toEqual({ kind: 'void', value: 0 });
      const s = structure(d.memory);
      expect(expand(s.top!)).toEqual(['mid#0', 'mid_missing', 'mid#1', 'mid_missing']);
      expect(expand(s.mids!['mid#1']!)).toEqual(['identity', 'identity', 'identity', 'identity']);
    });

    it('allocates nothing and changes nothing at resume', () => {
      const d = treeDomain({ kernel, nrPages: 24 });
      set(d, 40, 'm:5');
      const before = structure(d.memory);
      const events = d.batch.length;
      d.run('xen_build_mfn_list_list', d.machines.xenBuildMfnListList, 0);
      expect(rowsOf(d, events, KINDS.alloc_page.id)).toEqual([]);
      expect(structure(d.memory)).toEqual(before);
    });

    it('is a BUG where xen_max_p2m_pfn is beyond the tree', () => {
      const d = treeDomain({ kernel, nrPages: 64, tools: false });
      d.setGlobal(Global.xen_max_p2m_pfn, 68);
      const outcome = d.run('xen_build_mfn_list_list', d.machines.xenBuildMfnListList, 0);
      expect(outcome).toEqual({ kind: 'bug', bug: 'pfn-above-max' });
    });

    it('is a BUG where it gets no page', () => {
      for (const at of [1, 2, 3, 4]) {
        const d = treeDomain({ kernel, nrPages: 4, tools: false });
        d.armFailure(at, 0);
        const outcome = d.run('xen_build_mfn_list_list', d.machines.xenBuildMfnListList, 0);
        expect(outcome).toEqual({ kind: 'bug', bug: 'null-page' });
      }
    });
  });

  describe('the functions that came with the linear list', () => {
    it('xen_pagetable_p2m_setup changes nothing', () => {
      const d = treeDomain({ kernel, nrPages: 4 });
      const before = d.batch.length;
      d.run('xen_pagetable_p2m_setup', d.machines.xenPagetableP2mSetup, 0);
      expect(kinds(d, before)).toEqual(['call', 'return']);
    });

    it('xen_inv_extra_mem leaves missing pfns missing', () => {
      const d = treeDomain({ kernel, nrPages: 4 });
      d.setExtraMem([[16, 20]]);
      const before = d.batch.length;
      d.run('xen_inv_extra_mem', d.machines.xenInvExtraMem, 0);
      expect(kinds(d, before)).toEqual(['call', 'return']);
    });

    it.each(['xenVmallocP2mTree', 'xenRebuildP2mList', 'xenPagetableP2mFree', 'allocP2mPmd'] as const)(
      '%s is refused as usage',
      (name) => {
        const d = treeDomain({ kernel, nrPages: 4 });
        expect(() => d.run('setup', d.machines[name], 0)).toThrow(/this kernel has no such function: got .*3\.1[68]/);
      },
    );
  });

  describe('inspection', () => {
    it('tells the class of each leaf', () => {
      const d = treeDomain({ kernel, nrPages: 4, identity: [[8, 12]] });
      const { entries, missing, identity, beyond } = LeafClass;
      expect([0, 4, 8, 64].map((pfn) => leafClass(d.memory, pfn))).toEqual([entries, missing, identity, beyond]);
    });

    it('gives the look-ups as runs', () => {
      const d = treeDomain({
        kernel,
        nrPages: 10,
        identity: [
          [6, 9],
          [32, 40],
        ],
      });
      expect(entryRuns(d.memory, 0, 68).map((run) => [run.start, run.count, run.kind])).toEqual([
        [0, 6, 'mfn'],
        [6, 3, 'identity'],
        [9, 1, 'mfn'],
        [10, 22, 'missing'],
        [32, 8, 'identity'],
        [40, 24, 'missing'],
        [64, 4, 'identity'],
      ]);
    });

    it('says identity beyond the tree whatever extra memory is recorded', () => {
      const d = treeDomain({ kernel, nrPages: 4 });
      d.setExtraMem([[60, 10]]);
      d.setGlobal(Global.xen_max_p2m_pfn, 70);
      expect([63, 64].map((pfn) => d.memory.codec.format(lookUp(d.memory, pfn)))).toEqual(['~', 'i:64']);
      expect(entryRuns(d.memory, 63, 70).map((run) => run.kind)).toEqual(['missing', 'identity']);
    });

    it('digests what is looked up, and what is stored where that differs', () => {
      const d = treeDomain({ kernel, nrPages: 10 });
      const plain = digests(d.memory, 0, 64);
      expect(plain.lookup).toBe(plain.raw);
      const shared = digests(treeDomain({ kernel, nrPages: 10, identity: [[32, 36]] }).memory, 0, 64);
      expect(shared.raw).toBe(plain.raw); // p2m_identity holds INVALID
      expect(shared.lookup).not.toBe(plain.lookup);
    });
  });
});

function rowsOf(d: Domain, from: number, kind: number): number[] {
  const found: number[] = [];
  for (let i = from; i < d.batch.length; i++) if (d.batch.kind[i] === kind) found.push(i);
  return found;
}

function kinds(d: Domain, from: number): (string | undefined)[] {
  return Array.from(d.batch.kind.subarray(from, d.batch.length), kindName);
}
