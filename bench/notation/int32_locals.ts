/**
 * Candidate (c) of docs/decisions/0001-notation.md: one switch, the locals in a frame of an Int32Array. Frames are
 * copied and hashed as numbers; their names are indices. Measured against src/p2m; not used by the engine.
 */
import { Global, Role } from '../../events/index.js';
import { alignUp, makePte, NO_PAGE, ptePage, type Form, type Geometry, type Port } from '../../src/index.js';

const PC = 0;
const RET = 1;
const PFN = 2;
const I = 3;
const COUNT = 4;
const PTE_PAGE = 5;
const PTE = 6;
const VADDR = 7;
const LINKED = 8;
const PAGE0 = 9; // and PAGE1 beside it
const MID = 11;
const LEAF = 12;
const SEEN = 13;
const RESULT = 14;
const FRAME = 16;
const DONE = -1;

type Step = (f: Int32Array, cpu: Int32Cpu) => number;

/** A CPU over frames of integers. */
export class Int32Cpu {
  running = false;
  result = 0;
  readonly #frames = Array.from({ length: 4 }, () => new Int32Array(FRAME));
  readonly #steps: Step[] = [allocP2m, allocP2m, allocP2m, allocP2m];
  #depth = 0;

  constructor(
    readonly port: Port,
    readonly form: Form,
    readonly geometry: Geometry,
  ) {}

  begin(pfn: number): void {
    this.#depth = 0;
    this.running = true;
    this.call(allocP2m, pfn, 0);
  }

  step(): void {
    const f = this.#frames[this.#depth - 1]!;
    f[PC] = this.#steps[this.#depth - 1]!(f, this);
  }

  call(step: Step, pfn: number, count: number): void {
    const f = this.#frames[this.#depth]!;
    this.#steps[this.#depth++] = step;
    f.fill(0);
    f[PFN] = pfn;
    f[COUNT] = count;
  }

  ret(value: number): number {
    this.#depth--;
    if (this.#depth > 0) this.#frames[this.#depth - 1]![RET] = value;
    else {
      this.running = false;
      this.result = value;
    }
    return DONE;
  }

  bug(name: string): never {
    throw new Error(`BUG ${name}`);
  }
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

function allocP2mPmd(f: Int32Array, cpu: Int32Cpu): number {
  const { port, form, geometry: g } = cpu;
  switch (f[PC]) {
    case P1: {
      const page = port.allocPage(Role.pte);
      if (page === NO_PAGE) return f[I] === 0 ? cpu.ret(NO_PAGE) : P1_FREE;
      f[PAGE0 + f[I]!] = page;
      f[I]!++;
      return f[I]! < g.pmdsPerMidPage ? P1 : P2;
    }
    case P1_FREE:
      f[I]!--;
      port.freePage(f[PAGE0 + f[I]!]!);
      return f[I]! > 0 ? P1_FREE : cpu.ret(NO_PAGE);
    case P2:
      f[VADDR] = f[PFN]! - (f[PFN]! % g.pfnsPerMidPage);
      f[I] = 0;
      f[RESULT] = f[PTE_PAGE] = f[COUNT]!;
      return P3_1;
    case P3_1:
      port.copyPage(f[PAGE0 + f[I]!]!, f[PTE_PAGE]!);
      return P3_2;
    case P3_2:
      port.announcePage(f[PAGE0 + f[I]!]!);
      return P3_4;
    case P3_4:
      return port.lock() ? P3_5 : P3_4;
    case P3_5:
      f[LINKED] = port.walk(f[VADDR]!);
      if (f[LINKED] !== f[PTE_PAGE]) return P3_7;
      return form.listForTools ? P3_6_ODD : P3_6;
    case P3_6_ODD:
      port.bumpGeneration();
      return P3_6;
    case P3_6:
      port.setPmd(f[VADDR]!, makePte(f[PAGE0 + f[I]!]!, true));
      if (f[PFN]! >= f[VADDR]! && f[PFN]! < f[VADDR]! + g.pfnsPerPtePage) f[RESULT] = f[PAGE0 + f[I]!]!;
      f[PAGE0 + f[I]!] = NO_PAGE;
      return form.listForTools ? P3_6_EVEN : P3_7;
    case P3_6_EVEN:
      port.bumpGeneration();
      return P3_7;
    case P3_7:
      port.unlock();
      return P3_8;
    case P3_8:
      if (f[PAGE0 + f[I]!] === NO_PAGE) return P3_9;
      port.retractPage(f[PAGE0 + f[I]!]!);
      return P3_8_FREE;
    case P3_8_FREE:
      port.freePage(f[PAGE0 + f[I]!]!);
      return P3_9;
    case P3_9:
      f[VADDR]! += g.pfnsPerPtePage;
      f[I]!++;
      return f[I]! < g.pmdsPerMidPage ? P3_1 : P4;
    case P4:
    default:
      return cpu.ret(port.walk(f[PFN]!));
  }
}

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

function allocP2m(f: Int32Array, cpu: Int32Cpu): number {
  const { port, form, geometry: g } = cpu;
  switch (f[PC]) {
    case A1:
      if (!form.pfnAboveMax && f[PFN]! >= g.maxP2mPfn) return cpu.bug('pfn-above-max');
      return A2;
    case A2:
      f[PTE_PAGE] = port.walk(f[PFN]!);
      if (f[PTE_PAGE] === NO_PAGE) return cpu.bug('unmapped-entry');
      if (f[PTE_PAGE] !== port.global(Global.p2m_missing_pte) && f[PTE_PAGE] !== port.global(Global.p2m_identity_pte)) {
        return A4;
      }
      cpu.call(allocP2mPmd, f[PFN]!, f[PTE_PAGE]);
      return A3;
    case A3:
      f[PTE_PAGE] = f[RET]!;
      return f[PTE_PAGE] === NO_PAGE ? cpu.ret(0) : A4;
    case A4:
      if (port.global(Global.p2m_top_mfn) === NO_PAGE) return A5;
      return form.pfnAboveMax && f[PFN]! >= g.maxP2mPfn ? A5 : A4_1;
    case A4_1:
      f[MID] = port.loadTopMfnP(Math.floor(f[PFN]! / g.pfnsPerMidPage));
      return A4_2;
    case A4_2:
      if (port.loadTopMfn(Math.floor(f[PFN]! / g.pfnsPerMidPage)) !== f[MID]) return cpu.bug('top-mfn-mismatch');
      return f[MID] === port.global(Global.p2m_mid_missing_mfn) ? A4_3 : A5;
    case A4_3:
      f[PAGE0] = port.allocPage(Role.mid);
      return f[PAGE0] === NO_PAGE ? cpu.ret(0) : A4_3_FILL;
    case A4_3_FILL:
      port.fillFrame(f[PAGE0]!, port.global(Global.p2m_missing));
      return A4_4;
    case A4_4:
      f[SEEN] = port.casTopMfn(Math.floor(f[PFN]! / g.pfnsPerMidPage), f[MID]!, f[PAGE0]!);
      return f[SEEN] === f[MID] ? A4_5 : A4_6;
    case A4_5:
      port.setTopMfnP(Math.floor(f[PFN]! / g.pfnsPerMidPage), f[PAGE0]!);
      f[MID] = f[PAGE0]!;
      return A5;
    case A4_6:
      port.freePage(f[PAGE0]!);
      f[MID] = f[SEEN]!;
      return A5;
    case A5:
      f[PTE] = port.loadPte(f[PTE_PAGE]!, f[PFN]!);
      if (ptePage(f[PTE]) === port.global(Global.p2m_missing)) return A6_1;
      if (ptePage(f[PTE]) === port.global(Global.p2m_identity)) return A6_1;
      return form.listForTools ? A7_1 : cpu.ret(1);
    case A6_1:
      f[LEAF] = port.allocPage(Role.leaf);
      return f[LEAF] === NO_PAGE ? cpu.ret(0) : A6_2;
    case A6_2:
      if (ptePage(f[PTE]!) === port.global(Global.p2m_missing)) port.fillInvalid(f[LEAF]!);
      else port.fillIdentity(f[LEAF]!, form.identityBaseMasked ? f[PFN]! - (f[PFN]! % g.perPage) : f[PFN]!);
      return A6_3;
    case A6_3:
      return port.lock() ? A6_4 : A6_3;
    case A6_4:
      if (port.loadPte(f[PTE_PAGE]!, f[PFN]!) !== f[PTE]) return A6_9;
      return form.listForTools ? A6_5 : A6_6;
    case A6_5:
      port.bumpGeneration();
      return A6_6;
    case A6_6:
      port.setPte(f[PTE_PAGE]!, f[PFN]!, makePte(f[LEAF]!, true));
      return form.listForTools ? A6_7 : A6_8;
    case A6_7:
      port.bumpGeneration();
      return A6_8;
    case A6_8:
      if (f[MID] !== NO_PAGE) port.setMidMfn(f[MID]!, Math.floor(f[PFN]! / g.perPage) % g.midPerPage, f[LEAF]!);
      f[LEAF] = NO_PAGE;
      return A6_9;
    case A6_9:
      port.unlock();
      return A6_10;
    case A6_10:
      if (f[LEAF] !== NO_PAGE) port.freePage(f[LEAF]!);
      return form.listForTools ? A7_1 : cpu.ret(1);
    case A7_1: {
      const last = port.global(Global.xen_p2m_last_pfn);
      return (form.lastPfnAligned ? f[PFN]! >= last : f[PFN]! > last) ? A7_2 : cpu.ret(1);
    }
    case A7_2:
      port.setGlobal(Global.xen_p2m_last_pfn, form.lastPfnAligned ? alignUp(f[PFN]! + 1, g.perPage) : f[PFN]!);
      return A7_3;
    case A7_3:
      f[SEEN] = port.global(Global.xen_p2m_last_pfn);
      return A7_4;
    case A7_4:
    default:
      port.setMaxPfn(f[SEEN]!);
      return cpu.ret(1);
  }
}
