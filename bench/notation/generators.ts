/**
 * Candidate (d) of docs/decisions/0001-notation.md: a generator, whose locals are JavaScript's own; each `yield` ends a
 * row. It reads shortest, and can be neither copied, nor hashed, nor undone. Measured against src/p2m; not used.
 */
import { Global, Role } from '../../events/index.js';
import { alignUp, makePte, NO_PAGE, ptePage, type Form, type Geometry, type Port } from '../../src/index.js';

export type Rows = Generator<string, number>;

function* allocP2mPmd(port: Port, form: Form, g: Geometry, pfn: number, ptePg: number): Rows {
  const own: number[] = [];
  for (let i = 0; i < g.pmdsPerMidPage; i++) {
    const page = port.allocPage(Role.pte);
    yield 'P1';
    if (page === NO_PAGE) {
      for (const taken of own) {
        port.freePage(taken);
        yield 'P1';
      }
      return NO_PAGE;
    }
    own.push(page);
  }
  let vaddr = pfn - (pfn % g.pfnsPerMidPage);
  yield 'P2';
  for (let i = 0; i < g.pmdsPerMidPage; i++) {
    port.copyPage(own[i]!, ptePg);
    yield 'P3.1';
    port.announcePage(own[i]!);
    yield 'P3.2';
    while (!port.lock()) yield 'P3.4';
    yield 'P3.4';
    const linked = port.walk(vaddr);
    yield 'P3.5';
    if (linked === ptePg) {
      if (form.listForTools) {
        port.bumpGeneration();
        yield 'P3.6';
      }
      port.setPmd(vaddr, makePte(own[i]!, true));
      own[i] = NO_PAGE;
      yield 'P3.6';
      if (form.listForTools) {
        port.bumpGeneration();
        yield 'P3.6';
      }
    }
    port.unlock();
    yield 'P3.7';
    if (own[i] !== NO_PAGE) {
      port.retractPage(own[i]!);
      yield 'P3.8';
      port.freePage(own[i]!);
    }
    yield 'P3.8';
    vaddr += g.pfnsPerPtePage;
    yield 'P3.9';
  }
  const page = port.walk(pfn);
  yield 'P4';
  return page;
}

/** `alloc_p2m`, spec 6.3. */
export function* allocP2m(port: Port, form: Form, g: Geometry, pfn: number): Rows {
  if (!form.pfnAboveMax && pfn >= g.maxP2mPfn) throw new Error('BUG pfn-above-max');
  yield 'A1';
  let ptePg = port.walk(pfn);
  if (ptePg === NO_PAGE) throw new Error('BUG unmapped-entry');
  const shared = ptePg === port.global(Global.p2m_missing_pte) || ptePg === port.global(Global.p2m_identity_pte);
  yield 'A2';
  if (shared) {
    ptePg = yield* allocP2mPmd(port, form, g, pfn, ptePg);
    yield 'A3';
    if (ptePg === NO_PAGE) return 0;
  }
  let mid = NO_PAGE;
  const tree = port.global(Global.p2m_top_mfn) !== NO_PAGE && !(form.pfnAboveMax && pfn >= g.maxP2mPfn);
  yield 'A4';
  if (tree) {
    const top = Math.floor(pfn / g.pfnsPerMidPage);
    mid = port.loadTopMfnP(top);
    yield 'A4.1';
    if (port.loadTopMfn(top) !== mid) throw new Error('BUG top-mfn-mismatch');
    yield 'A4.2';
    if (mid === port.global(Global.p2m_mid_missing_mfn)) {
      const page = port.allocPage(Role.mid);
      yield 'A4.3';
      if (page === NO_PAGE) return 0;
      port.fillFrame(page, port.global(Global.p2m_missing));
      yield 'A4.3';
      const seen = port.casTopMfn(top, mid, page);
      yield 'A4.4';
      if (seen === mid) {
        port.setTopMfnP(top, page);
        mid = page;
        yield 'A4.5';
      } else {
        port.freePage(page);
        mid = seen;
        yield 'A4.6';
      }
    }
  }
  const pte = port.loadPte(ptePg, pfn);
  const missing = ptePage(pte) === port.global(Global.p2m_missing);
  const identity = ptePage(pte) === port.global(Global.p2m_identity);
  yield 'A5';
  if (missing || identity) {
    let leaf = port.allocPage(Role.leaf);
    yield 'A6.1';
    if (leaf === NO_PAGE) return 0;
    if (missing) port.fillInvalid(leaf);
    else port.fillIdentity(leaf, form.identityBaseMasked ? pfn - (pfn % g.perPage) : pfn);
    yield 'A6.2';
    while (!port.lock()) yield 'A6.3';
    yield 'A6.3';
    const still = port.loadPte(ptePg, pfn) === pte;
    yield 'A6.4';
    if (still) {
      if (form.listForTools) {
        port.bumpGeneration();
        yield 'A6.5';
      }
      port.setPte(ptePg, pfn, makePte(leaf, true));
      yield 'A6.6';
      if (form.listForTools) {
        port.bumpGeneration();
        yield 'A6.7';
      }
      if (mid !== NO_PAGE) port.setMidMfn(mid, Math.floor(pfn / g.perPage) % g.midPerPage, leaf);
      leaf = NO_PAGE;
      yield 'A6.8';
    }
    port.unlock();
    yield 'A6.9';
    if (leaf !== NO_PAGE) port.freePage(leaf);
    yield 'A6.10';
  }
  if (!form.listForTools) return 1;
  const last = port.global(Global.xen_p2m_last_pfn);
  yield 'A7.1';
  if (!(form.lastPfnAligned ? pfn >= last : pfn > last)) return 1;
  port.setGlobal(Global.xen_p2m_last_pfn, form.lastPfnAligned ? alignUp(pfn + 1, g.perPage) : pfn);
  yield 'A7.2';
  const seen = port.global(Global.xen_p2m_last_pfn);
  yield 'A7.3';
  port.setMaxPfn(seen);
  yield 'A7.4';
  return 1;
}
