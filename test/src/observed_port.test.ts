import { beforeEach, describe, expect, test } from 'vitest';
import { FAULT, Global, INVALID, KINDS, mfnWord, P2mError, Role } from '../../events/index.js';
import {
  ATTEMPTS,
  Domain,
  formByKernel,
  GEOMETRIES,
  makePte,
  ObservedPort,
  ptePage,
  Touch,
  type Form,
  type Memory,
} from '../../src/index.js';

/** A linear list of tiny pages, two CPUs: the first leaf is private, the others are shared. */
function bootTiny(form: Form, sparePages = 16): Domain {
  const d = new Domain({ form, geometry: GEOMETRIES.tiny, nrPages: 32, cpus: 2, sparePages });
  d.boot(32, [
    [4, mfnWord(1000), 1],
    [28, INVALID, 0],
  ]);
  d.run('xen_vmalloc_p2m_tree', d.machines.xenVmallocP2mTree, 0);
  d.slabUp();
  d.flush();
  d.hold();
  return d;
}

let domain: Domain;
let memory: Memory;
let port: ObservedPort;
let other: ObservedPort;

beforeEach(() => {
  domain = bootTiny(formByKernel('3.19.8'));
  memory = domain.memory;
  [port, other] = domain.usePorts((m, batch, cpu) => new ObservedPort(m, batch, cpu)) as [ObservedPort, ObservedPort];
});

/** What was touched since the last question: kind, address, old, value. */
function touched(of = port): number[][] {
  const { touches } = of;
  const list = Array.from({ length: touches.count }, (_, i) => [
    touches.kinds[i]!,
    touches.addresses[i]!,
    touches.olds[i]!,
    touches.values[i]!,
  ]);
  of.clear();
  return list;
}

function pmdAddress(pfn: number): number {
  return memory.layout.pmdBase + (pfn >>> memory.pmdShift);
}

function pteAddress(ptPage: number, pfn: number): number {
  return memory.homes[ptPage]! + ((pfn >>> memory.leafShift) & memory.pteMask);
}

/** Address and value, as a read sees them. */
function seen(kind: number, address: number): number[] {
  return [kind, address, memory.words[address]!, memory.words[address]!];
}

function walkOf(pfn: number): number[][] {
  return [seen(Touch.walk, pmdAddress(pfn)), seen(Touch.walk, pteAddress(memory.ptPageOf(pfn), pfn))];
}

describe('ObservedPort', () => {
  test('an entry is loaded through its PMD and its PTE', () => {
    expect(memory.codec.format(port.loadEntry(2))).toBe('m:1002');
    expect(touched()).toEqual([...walkOf(2), seen(Touch.read, memory.entryAddress(2))]);
  });

  test('an entry beyond the area faults, and nothing is touched', () => {
    expect([port.loadEntry(memory.layout.areaPfns), port.storeEntry(memory.layout.areaPfns, 1)]).toEqual([
      FAULT,
      false,
    ]);
    expect(touched()).toEqual([]);
  });

  test('a store into a private leaf touches the walk and the word', () => {
    const address = memory.entryAddress(3);
    const old = memory.words[address]!;
    expect(port.storeEntry(3, mfnWord(7))).toBe(true);
    expect(touched()).toEqual([...walkOf(3), [Touch.write, address, old, mfnWord(7)]]);
  });

  test('a store that faults touches the walk alone', () => {
    expect(port.storeEntry(9, mfnWord(7))).toBe(false);
    expect(touched()).toEqual(walkOf(9));
  });

  test('software walks and PTEs are a read each, their stores a write', () => {
    const ptPage = port.walk(2);
    expect(touched()).toEqual([seen(Touch.read, pmdAddress(2))]);
    const pte = port.loadPte(ptPage, 2);
    expect(touched()).toEqual([seen(Touch.read, pteAddress(ptPage, 2))]);
    port.setPte(ptPage, 2, makePte(5, true));
    expect(touched()).toEqual([[Touch.write, pteAddress(ptPage, 2), pte, makePte(5, true)]]);
    port.setPmd(2, makePte(6, true));
    expect(touched()).toEqual([[Touch.write, pmdAddress(2), makePte(ptPage, true), makePte(6, true)]]);
  });

  test('the lock is taken, found taken, and given back', () => {
    expect([port.lock(), other.lock()]).toEqual([true, false]);
    expect(touched()).toEqual([[Touch.lock, Global.p2m_update_lock, 0, 1]]);
    expect(touched(other)).toEqual([[Touch.read, Global.p2m_update_lock, 1, 1]]);
    port.unlock();
    expect(touched()).toEqual([[Touch.unlock, Global.p2m_update_lock, 1, 0]]);
  });

  test('globals that change are touched, constants of the boot are not', () => {
    port.global(Global.p2m_missing);
    expect(touched()).toEqual([]);
    port.setMaxPfn(9);
    port.global(Global['dummy.max_pfn']);
    expect(touched().at(-1)).toEqual([Touch.read, Global['dummy.max_pfn'], 9, 9]);
  });

  test('a copied page is read word by word, as many as a PT page has PTEs', () => {
    const source = domain.global(Global.p2m_missing_pte);
    const page = port.allocPage(Role.pte);
    port.copyPage(page, source);
    const home = memory.homes[source]!;
    const { ptrsPerPte } = memory.geometry;
    expect(touched()).toEqual(Array.from({ length: ptrsPerPte }, (_, i) => seen(Touch.copy, home + i)));
  });

  test("a fresh page is its owner's until a word names it: then a fill and a free touch all of it", () => {
    const page = port.allocPage(Role.leaf);
    port.fillInvalid(page);
    expect(touched()).toEqual([]);
    port.setPte(port.walk(2), 2, makePte(page, true));
    touched();
    port.fillInvalid(page);
    expect(touched().map(([kind, address]) => [kind, address])).toEqual(
      Array.from({ length: memory.geometry.pageWords }, (_, i) => [Touch.page, memory.homes[page]! + i]),
    );
    port.freePage(page);
    expect(touched()).toHaveLength(memory.geometry.pageWords);
    const own = port.allocPage(Role.leaf);
    port.freePage(own);
    expect(touched()).toEqual([]);
  });

  test('the count of attempts to allocate is touched where one of them is to fail', () => {
    domain.armFailure(2, 0);
    expect(port.allocPage(Role.leaf)).not.toBe(0);
    expect(touched()).toEqual([[Touch.write, ATTEMPTS, 0, 1]]);
    expect(other.allocPage(Role.leaf)).toBe(0);
    expect(touched(other)).toEqual([[Touch.write, ATTEMPTS, 1, 2]]);
  });

  test('a compare-and-exchange that finds something else reads and does not write', () => {
    const d = bootTiny(formByKernel('3.19.8'));
    d.run('xen_build_mfn_list_list', d.machines.xenBuildMfnListList, 0);
    d.flush();
    const [tools] = d.usePorts((m, batch, cpu) => new ObservedPort(m, batch, cpu)) as [ObservedPort];
    const found = tools.loadTopMfn(0);
    tools.clear();
    tools.casTopMfn(0, found + 1, 5);
    expect(touched(tools).map(([kind]) => kind)).toEqual([Touch.read]);
    tools.casTopMfn(0, found, 5);
    expect(touched(tools).map(([kind]) => kind)).toEqual([Touch.read, Touch.write]);
  });

  test('a page that is freed twice is noted, and freed once', () => {
    const page = port.allocPage(Role.leaf);
    port.freePage(page);
    port.freePage(page);
    expect(port.doubleFreed).toEqual([page]);
    const { kind, length } = domain.batch;
    expect([...kind.subarray(0, length)].filter((k) => k === KINDS.free_page.id)).toHaveLength(1);
  });

  test('who touches a freed page is seen', () => {
    const page = port.allocPage(Role.mid);
    port.fillFrame(page, 3);
    port.freePage(page);
    port.clear();
    port.setMidMfn(page, 1, 4);
    expect(port.touchedFreed).toEqual([page]);
    port.clear();
    expect(port.touchedFreed).toEqual([]);
  });

  test('a page is handed out empty, whatever a path left in it that was taken back', () => {
    const before = domain.batch.length;
    const page = port.allocPage(Role.leaf);
    port.fillIdentity(page, 8);
    domain.rewind(before, domain.ops);
    expect(port.allocPage(Role.leaf)).toBe(page);
    expect(memory.loadWord(page, 1)).toBe(INVALID);
  });

  test.each<[string, () => void, string]>([
    ['gives back a lock that nobody holds', () => port.unlock(), 'does not hold'],
    ['gives back the lock of another CPU', () => unlockOf(other), 'CPU 1 holds it'],
    ['follows a null pointer to a PTE', () => port.loadPte(0, 2), 'null pointer'],
    ['follows a null pointer to a word', () => port.loadMid(0, 2), 'null pointer'],
    ['stores through a null pointer', () => port.setPte(0, 2, 5), 'null pointer'],
    ['frees page 0', () => port.freePage(0), 'null pointer'],
    ['stores a constant of the boot', () => port.setGlobal(Global.xen_p2m_size, 4), 'only the boot writes'],
    ['takes pages without end', () => takeAll(), 'has taken all pages'],
  ])('a machine that %s is told so', (_, act, message) => {
    expect(act).toThrow(P2mError);
    expect(act).toThrow(message);
  });

  test('does what the model port does', () => {
    const plain = bootTiny(formByKernel('7.0'));
    const observed = bootTiny(formByKernel('7.0'));
    observed.usePorts((m, batch, cpu) => new ObservedPort(m, batch, cpu));
    for (const d of [plain, observed]) {
      [13, 2, 30, 13].forEach((pfn, i) => {
        d.run('set_phys_to_machine', d.machines.setPhysToMachine, pfn, mfnWord(50 + i), 0, i % 2);
        d.run('__pfn_to_mfn', d.machines.pfnToMfnRaw, pfn);
      });
    }
    const events = ({ batch }: Domain): number[][] =>
      [batch.kind, batch.a, batch.b, batch.c, batch.d, batch.e].map((column) => [...column.subarray(0, batch.length)]);
    expect(events(observed)).toEqual(events(plain));
    expect(ptePage(observed.memory.pteOf(13))).toBe(ptePage(plain.memory.pteOf(13)));
  });
});

function takeAll(): void {
  for (let i = 0; i <= memory.layout.pagesPerPool; i++) port.allocPage(Role.leaf);
}

function unlockOf(owner: ObservedPort): void {
  owner.lock();
  port.unlock();
}
