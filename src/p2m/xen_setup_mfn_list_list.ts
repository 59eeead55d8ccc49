import { Global } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';
import { SIF_VIRT_P2M_4TOOLS } from './xen_build_mfn_list_list.js';

/** pfn_to_mfn_frame_list_list when there is no tree: the tools read the list itself. */
export const NO_FRAME_LIST = -1;
/** Stands for the mfn of swapper_pg_dir: what p2m_cr3 holds, not 0. */
export const CR3 = 1;

const U1 = 0;
const U2 = 1;
const U3 = 2;
const U4_GENERATION = 3;
const U4_VADDR = 4;
const U4_CR3 = 5;

/** `xen_setup_mfn_list_list`: tells the tools, through shared info, where the list is and how long (spec 4.9). */
export const xenSetupMfnListList: Machine = {
  name: 'xen_setup_mfn_list_list',
  rows: rows(
    ['4.9.1', 'R HYPERVISOR_shared_info'],
    ['4.9.2', 'W pfn_to_mfn_frame_list_list'],
    ['4.9.3', 'W max_pfn'],
    ['4.9.4', 'W p2m_generation'],
    ['4.9.4', 'W p2m_vaddr'],
    ['4.9.4', 'W p2m_cr3'],
  ),
  step(r, cpu) {
    const { port, form } = cpu;
    switch (r.pc) {
      case U1:
        return port.global(Global.HYPERVISOR_shared_info) === 0 ? cpu.bug('dummy-shared-info', 0) : U2;
      case U2: {
        const virtual = form.listForTools && (port.global(Global['start_info.flags']) & SIF_VIRT_P2M_4TOOLS) !== 0;
        const list = virtual ? NO_FRAME_LIST : port.global(Global.p2m_top_mfn);
        port.setGlobal(Global['shared_info.pfn_to_mfn_frame_list_list'], list);
        return U3;
      }
      case U3:
        port.setMaxPfn(port.global(form.listForTools ? Global.xen_p2m_last_pfn : Global.xen_max_p2m_pfn));
        return form.listForTools ? U4_GENERATION : cpu.ret(0);
      case U4_GENERATION:
        port.setGeneration(0);
        return U4_VADDR;
      case U4_VADDR:
        port.setGlobal(Global['shared_info.p2m_vaddr'], port.global(Global.xen_p2m_addr));
        return U4_CR3;
      case U4_CR3:
      default:
        port.setGlobal(Global['shared_info.p2m_cr3'], CR3);
        return cpu.ret(0);
    }
  },
};
