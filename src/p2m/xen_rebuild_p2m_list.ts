import { Global, Role } from '../../events/index.js';
import type { Cpu } from '../cpu.js';
import { rows, type Locals, type Machine } from '../machine.js';
import { makePte, NO_PAGE, NO_PTE } from '../memory/pte.js';
import { ElemType, elemType } from './elem_type.js';

const R1 = 0;
const R1_FILL = 1;
const R2 = 2;
const R2_FILL = 3;
const R3 = 4;
const R3_HC = 5;
const R4 = 6;
const R4_HC = 7;
const R5_MISSING = 8;
const R5_IDENTITY = 9;
const R6_A = 10;
const R6_B = 11;
const R6_D_ALLOC = 12;
const R6_D_COPY = 13;
const R6_D_POPULATE = 14;
const R6_D = 15;
const R6_E_POPULATE = 16;
const R6_E = 17;
const R6_F = 18;

/**
 * `xen_rebuild_p2m_list`: lays the builder's list out in the vm area (spec 4.6). Leaves that hold frames get a page; what
 * is uniformly missing or identity shares one leaf, and a whole mid page of it one PT page. Alone at boot: a scan for the
 * end of a run is one row.
 */
export const xenRebuildP2mList: Machine = {
  name: 'xen_rebuild_p2m_list',
  rows: rows(
    ['4.6.1', 'ALLOC p2m_missing'],
    ['4.6.1', 'fill it INVALID'],
    ['4.6.2', 'ALLOC p2m_identity'],
    ['4.6.2', 'fill it INVALID'],
    ['4.6.3', 'ALLOC p2m_missing_pte'],
    ['4.6.3', 'HC announce it'],
    ['4.6.4', 'ALLOC p2m_identity_pte'],
    ['4.6.4', 'HC announce it'],
    ['4.6.5', 'W missing_pte[0 .. PTRS_PER_PTE)'],
    ['4.6.5', 'W identity_pte[0 .. PTRS_PER_PTE)'],
    ['4.6.6a', 'R entry[pfn]'],
    ['4.6.6b', 'R entries to the end of the run'],
    ['4.6.6d', 'ALLOC a leaf'],
    ['4.6.6d', 'copy the page of the list'],
    ['4.6.6d', 'populate_extra_pte'],
    ['4.6.6d', 'W PTE'],
    ['4.6.6e', 'populate_extra_pte'],
    ['4.6.6e', 'W PTE'],
    ['4.6.6f', 'W PMD'],
  ),
  step(r, cpu) {
    const { port, form, geometry: g } = cpu;
    switch (r.pc) {
      case R1:
        return takeShared(cpu, Role.missing, Global.p2m_missing, R1_FILL);
      case R1_FILL:
        port.fillInvalid(port.global(Global.p2m_missing));
        return R2;
      case R2:
        return takeShared(cpu, Role.identity, Global.p2m_identity, R2_FILL);
      case R2_FILL:
        port.fillInvalid(port.global(Global.p2m_identity));
        return R3;
      case R3:
        return takeShared(cpu, Role.missing_pte, Global.p2m_missing_pte, R3_HC);
      case R3_HC:
        port.announcePage(port.global(Global.p2m_missing_pte));
        return R4;
      case R4:
        return takeShared(cpu, Role.identity_pte, Global.p2m_identity_pte, R4_HC);
      case R4_HC:
        port.announcePage(port.global(Global.p2m_identity_pte));
        return R5_MISSING;
      case R5_MISSING:
        port.fillPte(port.global(Global.p2m_missing_pte), sharedPte(cpu, ElemType.missing));
        return R5_IDENTITY;
      case R5_IDENTITY:
        port.fillPte(port.global(Global.p2m_identity_pte), sharedPte(cpu, ElemType.identity));
        r.pfn = 0;
        return R6_A;
      case R6_A:
        if (r.pfn >= port.global(Global.xen_max_p2m_pfn)) return cpu.ret(0);
        r.count = r.pfn % g.pfnsPerMidPage === 0 ? g.pfnsPerMidPage : g.perPage;
        r.value = elemType(cpu.memory, r.pfn);
        return r.value === ElemType.pfn ? mixedLeaf(r, cpu) : R6_B;
      case R6_B: {
        const end = port.firstOfOtherType(r.pfn, r.pfn + r.count);
        if (end === r.pfn + g.pfnsPerMidPage && r.count === g.pfnsPerMidPage) {
          r.i = 0;
          return R6_F;
        }
        // c: what differs within the chunk makes it one leaf; that leaf is mixed when it differs within the leaf.
        const differs = end < r.pfn + r.count;
        r.count = g.perPage;
        return differs && end < r.pfn + g.perPage ? mixedLeaf(r, cpu) : R6_E_POPULATE;
      }
      case R6_D_ALLOC:
        r.leaf = port.allocPage(Role.leaf);
        return r.leaf === NO_PAGE ? cpu.bug('null-page', r.pfn) : R6_D_COPY;
      case R6_D_COPY:
        port.copyPage(r.leaf, cpu.memory.initPage(r.pfn));
        return R6_D_POPULATE;
      case R6_D_POPULATE:
        return populate(r, cpu, R6_D);
      case R6_D:
        port.setPte(port.areaPtPage(r.pfn), r.pfn, makePte(r.leaf, true));
        r.pfn += r.count;
        return R6_A;
      case R6_E_POPULATE:
        return populate(r, cpu, R6_E);
      case R6_E:
        port.setPte(port.areaPtPage(r.pfn), r.pfn, sharedPte(cpu, r.value));
        r.pfn += r.count;
        return R6_A;
      case R6_F:
      default: {
        const shared = r.value === ElemType.missing ? Global.p2m_missing_pte : Global.p2m_identity_pte;
        // Up to L1 the address counted in entries and not in bytes: the second PMD of a mid page stayed empty (B2).
        const address = r.pfn + r.i * (form.secondPmdPopulated ? g.pfnsPerPtePage : g.ptrsPerPte);
        port.setPmd(address, makePte(port.global(shared), true));
        if (++r.i < g.pmdsPerMidPage) return R6_F;
        r.pfn += r.count;
        return R6_A;
      }
    }
  },
};

function takeShared(cpu: Cpu, role: number, global: number, next: number): number {
  const page = cpu.port.allocPage(role);
  if (page === NO_PAGE) return cpu.bug('null-page', 0);
  cpu.port.setGlobal(global, page);
  return next;
}

/** d: the leaf gets a page; on 32 bit it is the page of the builder's list, in place. */
function mixedLeaf(r: Locals, cpu: Cpu): number {
  r.count = cpu.geometry.perPage;
  if (cpu.geometry.entryBits === 64) return R6_D_ALLOC;
  r.leaf = cpu.memory.initPage(r.pfn);
  return R6_D_POPULATE;
}

/** populate_extra_pte: a PT page where there is none yet. */
function populate(r: Locals, cpu: Cpu, next: number): number {
  if (cpu.port.areaPtPage(r.pfn) === NO_PAGE) cpu.port.populatePmd(r.pfn);
  return next;
}

function sharedPte(cpu: Cpu, type: number): number {
  const page = cpu.port.global(type === ElemType.missing ? Global.p2m_missing : Global.p2m_identity);
  return page === NO_PAGE ? NO_PTE : makePte(page, !cpu.form.sharedLeavesReadOnly);
}
