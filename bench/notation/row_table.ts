/**
 * Candidate (b) of docs/decisions/0001-notation.md: a machine is a table of row functions over the same named locals.
 * Measured against the machines of src/p2m; not used by the engine.
 */
import { Global, Role } from '../../events/index.js';
import { alignUp, makePte, NO_PAGE, ptePage, type Cpu, type Locals, type Machine } from '../../src/index.js';

type Row = (r: Locals, cpu: Cpu) => number;

function machine(name: string, table: readonly Row[]): Machine {
  return { name, rows: table.map((_, i) => ({ label: String(i), does: '' })), step: (r, cpu) => table[r.pc]!(r, cpu) };
}

const P1 = 0;
const P1_FREE = 1;
const P2 = 2;
const P3_1 = 3;
const P3_2 = 4;
const P3_4 = 5;
const P3_5 = 6;
const P3_6_ODD = 7;
const P3_6 = 8;
const P3_6_EVEN = 9;
const P3_7 = 10;
const P3_8 = 11;
const P3_8_FREE = 12;
const P3_9 = 13;
const P4 = 14;

const pmd: Row[] = [];
pmd[P1] = (r, cpu) => {
  const page = cpu.port.allocPage(Role.pte);
  if (page === NO_PAGE) return r.i === 0 ? cpu.ret(NO_PAGE) : P1_FREE;
  setOwn(r, r.i++, page);
  return r.i < cpu.geometry.pmdsPerMidPage ? P1 : P2;
};
pmd[P1_FREE] = (r, cpu) => {
  cpu.port.freePage(own(r, --r.i));
  return r.i > 0 ? P1_FREE : cpu.ret(NO_PAGE);
};
pmd[P2] = (r, { geometry: g }) => {
  r.vaddr = r.pfn - (r.pfn % g.pfnsPerMidPage);
  r.i = 0;
  r.result = r.ptePage = r.count;
  return P3_1;
};
pmd[P3_1] = (r, { port }) => {
  port.copyPage(own(r, r.i), r.ptePage);
  return P3_2;
};
pmd[P3_2] = (r, { port }) => {
  port.announcePage(own(r, r.i));
  return P3_4;
};
pmd[P3_4] = (_r, { port }) => (port.lock() ? P3_5 : P3_4);
pmd[P3_5] = (r, { port, form }) => {
  r.linked = port.walk(r.vaddr);
  if (r.linked !== r.ptePage) return P3_7;
  return form.listForTools ? P3_6_ODD : P3_6;
};
pmd[P3_6_ODD] = (_r, { port }) => {
  port.bumpGeneration();
  return P3_6;
};
pmd[P3_6] = (r, { port, form, geometry: g }) => {
  port.setPmd(r.vaddr, makePte(own(r, r.i), true));
  if (r.pfn >= r.vaddr && r.pfn < r.vaddr + g.pfnsPerPtePage) r.result = own(r, r.i);
  setOwn(r, r.i, NO_PAGE);
  return form.listForTools ? P3_6_EVEN : P3_7;
};
pmd[P3_6_EVEN] = (_r, { port }) => {
  port.bumpGeneration();
  return P3_7;
};
pmd[P3_7] = (_r, { port }) => {
  port.unlock();
  return P3_8;
};
pmd[P3_8] = (r, { port }) => {
  if (own(r, r.i) === NO_PAGE) return P3_9;
  port.retractPage(own(r, r.i));
  return P3_8_FREE;
};
pmd[P3_8_FREE] = (r, { port }) => {
  port.freePage(own(r, r.i));
  return P3_9;
};
pmd[P3_9] = (r, { geometry: g }) => {
  r.vaddr += g.pfnsPerPtePage;
  return ++r.i < g.pmdsPerMidPage ? P3_1 : P4;
};
pmd[P4] = (r, cpu) => cpu.ret(cpu.port.walk(r.pfn));

const A1 = 0;
const A2 = 1;
const A3 = 2;
const A4 = 3;
const A4_1 = 4;
const A4_2 = 5;
const A4_3 = 6;
const A4_3_FILL = 7;
const A4_4 = 8;
const A4_5 = 9;
const A4_6 = 10;
const A5 = 11;
const A6_1 = 12;
const A6_2 = 13;
const A6_3 = 14;
const A6_4 = 15;
const A6_5 = 16;
const A6_6 = 17;
const A6_7 = 18;
const A6_8 = 19;
const A6_9 = 20;
const A6_10 = 21;
const A7_1 = 22;
const A7_2 = 23;
const A7_3 = 24;
const A7_4 = 25;

const alloc: Row[] = [];
alloc[A1] = (r, cpu) => {
  if (!cpu.form.pfnAboveMax && r.pfn >= cpu.geometry.maxP2mPfn) return cpu.bug('pfn-above-max', r.pfn);
  return A2;
};
alloc[A2] = (r, cpu) => {
  const { port } = cpu;
  r.ptePage = port.walk(r.pfn);
  if (r.ptePage === NO_PAGE) return cpu.bug('unmapped-entry', r.pfn);
  if (r.ptePage !== port.global(Global.p2m_missing_pte) && r.ptePage !== port.global(Global.p2m_identity_pte)) {
    return A4;
  }
  cpu.call(allocP2mPmd, r.pfn, 0, r.ptePage);
  return A3;
};
alloc[A3] = (r, cpu) => {
  r.ptePage = r.ret;
  return r.ptePage === NO_PAGE ? cpu.ret(0) : A4;
};
alloc[A4] = (r, { port, form, geometry: g }) => {
  if (port.global(Global.p2m_top_mfn) === NO_PAGE) return A5;
  return form.pfnAboveMax && r.pfn >= g.maxP2mPfn ? A5 : A4_1;
};
alloc[A4_1] = (r, { port, geometry: g }) => {
  r.mid = port.loadTopMfnP(Math.floor(r.pfn / g.pfnsPerMidPage));
  return A4_2;
};
alloc[A4_2] = (r, cpu) => {
  const { port, geometry: g } = cpu;
  if (port.loadTopMfn(Math.floor(r.pfn / g.pfnsPerMidPage)) !== r.mid) return cpu.bug('top-mfn-mismatch', r.pfn);
  return r.mid === port.global(Global.p2m_mid_missing_mfn) ? A4_3 : A5;
};
alloc[A4_3] = (r, cpu) => {
  r.page0 = cpu.port.allocPage(Role.mid);
  return r.page0 === NO_PAGE ? cpu.ret(0) : A4_3_FILL;
};
alloc[A4_3_FILL] = (r, { port }) => {
  port.fillFrame(r.page0, port.global(Global.p2m_missing));
  return A4_4;
};
alloc[A4_4] = (r, { port, geometry: g }) => {
  r.seen = port.casTopMfn(Math.floor(r.pfn / g.pfnsPerMidPage), r.mid, r.page0);
  return r.seen === r.mid ? A4_5 : A4_6;
};
alloc[A4_5] = (r, { port, geometry: g }) => {
  port.setTopMfnP(Math.floor(r.pfn / g.pfnsPerMidPage), r.page0);
  r.mid = r.page0;
  return A5;
};
alloc[A4_6] = (r, { port }) => {
  port.freePage(r.page0);
  r.mid = r.seen;
  return A5;
};
alloc[A5] = (r, cpu) => {
  const { port, form } = cpu;
  r.pte = port.loadPte(r.ptePage, r.pfn);
  if (ptePage(r.pte) === port.global(Global.p2m_missing)) return A6_1;
  if (ptePage(r.pte) === port.global(Global.p2m_identity)) return A6_1;
  return form.listForTools ? A7_1 : cpu.ret(1);
};
alloc[A6_1] = (r, cpu) => {
  r.leaf = cpu.port.allocPage(Role.leaf);
  return r.leaf === NO_PAGE ? cpu.ret(0) : A6_2;
};
alloc[A6_2] = (r, { port, form, geometry: g }) => {
  if (ptePage(r.pte) === port.global(Global.p2m_missing)) port.fillInvalid(r.leaf);
  else port.fillIdentity(r.leaf, form.identityBaseMasked ? r.pfn - (r.pfn % g.perPage) : r.pfn);
  return A6_3;
};
alloc[A6_3] = (_r, { port }) => (port.lock() ? A6_4 : A6_3);
alloc[A6_4] = (r, { port, form }) => {
  if (port.loadPte(r.ptePage, r.pfn) !== r.pte) return A6_9;
  return form.listForTools ? A6_5 : A6_6;
};
alloc[A6_5] = (_r, { port }) => {
  port.bumpGeneration();
  return A6_6;
};
alloc[A6_6] = (r, { port, form }) => {
  port.setPte(r.ptePage, r.pfn, makePte(r.leaf, true));
  return form.listForTools ? A6_7 : A6_8;
};
alloc[A6_7] = (_r, { port }) => {
  port.bumpGeneration();
  return A6_8;
};
alloc[A6_8] = (r, { port, geometry: g }) => {
  if (r.mid !== NO_PAGE) port.setMidMfn(r.mid, Math.floor(r.pfn / g.perPage) % g.midPerPage, r.leaf);
  r.leaf = NO_PAGE;
  return A6_9;
};
alloc[A6_9] = (_r, { port }) => {
  port.unlock();
  return A6_10;
};
alloc[A6_10] = (r, cpu) => {
  if (r.leaf !== NO_PAGE) cpu.port.freePage(r.leaf);
  return cpu.form.listForTools ? A7_1 : cpu.ret(1);
};
alloc[A7_1] = (r, cpu) => {
  const last = cpu.port.global(Global.xen_p2m_last_pfn);
  return (cpu.form.lastPfnAligned ? r.pfn >= last : r.pfn > last) ? A7_2 : cpu.ret(1);
};
alloc[A7_2] = (r, { port, form, geometry: g }) => {
  port.setGlobal(Global.xen_p2m_last_pfn, form.lastPfnAligned ? alignUp(r.pfn + 1, g.perPage) : r.pfn);
  return A7_3;
};
alloc[A7_3] = (r, { port }) => {
  r.seen = port.global(Global.xen_p2m_last_pfn);
  return A7_4;
};
alloc[A7_4] = (r, cpu) => {
  cpu.port.setMaxPfn(r.seen);
  return cpu.ret(1);
};

const allocP2mPmd = machine('alloc_p2m_pmd', pmd);
export const allocP2m = machine('alloc_p2m', alloc);

function own(r: Locals, i: number): number {
  return i === 0 ? r.page0 : r.page1;
}

function setOwn(r: Locals, i: number, page: number): void {
  if (i === 0) r.page0 = page;
  else r.page1 = page;
}
