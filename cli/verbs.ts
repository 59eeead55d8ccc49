import { Global, usageError } from '../events/index.js';
import { Grant, kernelOps } from '../src/index.js';
import { INSPECTIONS, rangeOf, type Verb } from './inspections.js';
import { hex, parseNumber } from './numbers.js';
import type { Reply, Session } from './session.js';

const pfnOf = (s: Session, text: string): number => parseNumber(text, 'pfn', s.domain.geometry.pfnEnd);
const mfnOf = (text: string): number => parseNumber(text, 'mfn', 2 ** 30);

/** All operations by name, in the order of --help. */
export const VERBS: Readonly<Record<string, Verb>> = {
  set: {
    usage: 'PFN VALUE',
    does: 'set_phys_to_machine',
    args: [2, 2],
    run: (s, [pfn, value]) => {
      const { setPhysToMachine } = s.domain.machines;
      const outcome = s.run('set_phys_to_machine', setPhysToMachine, pfnOf(s, pfn!), s.codec.parse(value!));
      return s.reply(outcome, (ret) => ret !== 0);
    },
  },
  'raw-set': {
    usage: 'PFN VALUE',
    does: '__set_phys_to_machine: never allocates',
    args: [2, 2],
    run: (s, [pfn, value]) => {
      const { setPhysToMachineNoAlloc } = s.domain.machines;
      const outcome = s.run('__set_phys_to_machine', setPhysToMachineNoAlloc, pfnOf(s, pfn!), s.codec.parse(value!));
      return s.reply(outcome, (ret) => ret !== 0);
    },
  },
  alloc: {
    usage: 'PFN',
    does: 'alloc_p2m / xen_alloc_p2m_entry: 0 or -12',
    args: [1, 1],
    run: (s, [pfn]) => s.reply(s.run('xen_alloc_p2m_entry', s.domain.machines.allocP2m, pfnOf(s, pfn!)), (ret) => ret),
  },
  lookup: {
    usage: 'PFN',
    does: '__pfn_to_mfn',
    args: [1, 1],
    run: (s, [pfn]) => {
      const outcome = s.run('__pfn_to_mfn', s.domain.machines.pfnToMfnRaw, pfnOf(s, pfn!));
      return s.reply(outcome, (word) => s.codec.format(word));
    },
  },
  get: {
    usage: 'PFN',
    does: 'get_phys_to_machine',
    args: [1, 1],
    run: (s, [pfn]) => {
      const outcome = s.run('get_phys_to_machine', s.domain.machines.getPhysToMachine, pfnOf(s, pfn!));
      return s.reply(outcome, (word) => s.codec.format(word));
    },
  },
  'pfn-to-mfn': {
    usage: 'PFN',
    does: 'pfn_to_mfn: without the indicator bits',
    args: [1, 1],
    run: (s, [pfn]) => {
      const outcome = s.run('pfn_to_mfn', s.domain.machines.pfnToMfn, pfnOf(s, pfn!));
      return s.reply(outcome, (word) => s.codec.format(word));
    },
  },
  'mfn-to-pfn': {
    usage: 'MFN',
    does: 'mfn_to_pfn (with --m2p N)',
    args: [1, 1],
    run: (s, [mfn]) => {
      const outcome = s.run('mfn_to_pfn', s.domain.machines.mfnToPfn, mfnOf(mfn!));
      return s.reply(outcome, (pfn) => (pfn < 0 ? '~' : hex(pfn)));
    },
  },
  m2p: {
    usage: 'MFN PFN|~',
    does: "the hypervisor's m2p says this of MFN",
    args: [2, 2],
    run: (s, [mfn, pfn]) => {
      const frames = s.domain.global(Global.machine_to_phys_nr);
      if (frames === 0) throw usageError('there is no m2p', { hint: 'boot with --m2p N' });
      s.domain.setM2p(parseNumber(mfn!, 'mfn', frames), pfn === '~' ? undefined : parseNumber(pfn!, 'pfn', 2 ** 30));
      return { result: 'done' };
    },
  },
  identity: {
    usage: 'A-B',
    does: 'set_phys_range_identity: how many',
    args: [1, 1],
    run: (s, [text]) => {
      const { pfnStart, pfnEnd } = rangeOf(s, text!);
      const { setPhysRangeIdentity } = s.domain.machines;
      return s.reply(s.run('set_phys_range_identity', setPhysRangeIdentity, pfnStart, 0, pfnEnd), (n) => n);
    },
  },
  'balloon-down': {
    usage: 'A-B',
    does: 'decrease_reservation: the pages are given back',
    args: [1, 1],
    run: (s, [text]) => {
      const { pfnStart, pfnEnd } = rangeOf(s, text!);
      const { decreaseReservation } = s.domain.machines;
      return s.reply(s.run('decrease_reservation', decreaseReservation, pfnStart, 0, pfnEnd - pfnStart), (n) => n);
    },
  },
  'balloon-up': {
    usage: 'A-B VALUE',
    does: 'increase_reservation: frames from VALUE on',
    args: [2, 2],
    run: (s, [text, value]) => {
      const { pfnStart, pfnEnd } = rangeOf(s, text!);
      const { increaseReservation } = s.domain.machines;
      const first = s.codec.parse(value!);
      return s.reply(s.run('increase_reservation', increaseReservation, pfnStart, first, pfnEnd - pfnStart), (n) => n);
    },
  },
  'grant-map': {
    usage: '[kernel] PFN:MFN[:STATUS[:KSTATUS]]...',
    does: 'set_foreign_p2m_mapping; kernel: with kmap_ops',
    args: [1, 4096],
    run: (s, args) => {
      const kernel = args[0] === 'kernel';
      const slots = kernel ? args.slice(1) : args;
      slots.forEach((slot, i) => {
        const [pfn, mfn, status, kernelStatus, ...more] = slot.split(':');
        if (mfn === undefined || more.length > 0) {
          throw usageError('bad grant slot', { got: JSON.stringify(slot), expected: 'PFN:MFN[:STATUS[:KSTATUS]]' });
        }
        s.domain.setGrant(i, Grant.pfn, parseNumber(pfn!, 'pfn', 2 ** 30));
        s.domain.setGrant(i, Grant.mfn, mfnOf(mfn));
        s.domain.setGrant(i, Grant.status, statusOf(status));
        s.domain.setGrant(i, Grant.kernelStatus, statusOf(kernelStatus));
      });
      const { setForeignP2mMapping } = s.domain.machines;
      const outcome = s.run('set_foreign_p2m_mapping', setForeignP2mMapping, 0, kernel ? kernelOps() : 0, slots.length);
      return { ...s.reply(outcome, (ret) => ret), lines: slots.map((_, i) => slotLine(s, i)) };
    },
  },
  'grant-unmap': {
    usage: '[kernel] PFN...',
    does: 'clear_foreign_p2m_mapping; kernel: with kunmap_ops',
    args: [1, 4096],
    run: (s, args) => {
      const kernel = args[0] === 'kernel';
      const slots = kernel ? args.slice(1) : args;
      slots.forEach((slot, i) => {
        s.domain.setGrant(i, Grant.pfn, parseNumber(slot, 'pfn', 2 ** 30));
      });
      const { clearForeignP2mMapping } = s.domain.machines;
      const value = kernel ? kernelOps() : 0;
      return s.reply(s.run('clear_foreign_p2m_mapping', clearForeignP2mMapping, 0, value, slots.length), (ret) => ret);
    },
  },
  'fail-at': {
    usage: 'N',
    does: 'the N-th allocation from now fails',
    args: [1, 1],
    run: (s, [n]) => {
      s.domain.armFailure(parseNumber(n!, 'count', 2 ** 30), 0);
      return { result: 'done' };
    },
  },
  'fail-from': {
    usage: 'N',
    does: 'the N-th allocation from now and all later ones fail',
    args: [1, 1],
    run: (s, [n]) => {
      s.domain.armFailure(0, parseNumber(n!, 'count', 2 ** 30));
      return { result: 'done' };
    },
  },
  'no-fail': {
    usage: '',
    does: 'allocations succeed again',
    args: [0, 0],
    run: (s) => {
      s.domain.armFailure(0, 0);
      return { result: 'done' };
    },
  },
  suspend: {
    usage: '',
    does: 'xen_arch_pre_suspend: shared info is a dummy',
    args: [0, 0],
    run: (s) => s.reply(s.run('xen_arch_pre_suspend', s.domain.machines.xenArchPreSuspend, 0), () => 'done'),
  },
  resume: {
    usage: '',
    does: "xen_arch_post_suspend: the tools' tree and shared info anew",
    args: [0, 0],
    run: (s) => s.reply(s.run('xen_arch_post_suspend', s.domain.machines.xenArchPostSuspend, 0), () => 'done'),
  },
  ...INSPECTIONS,
  show: {
    usage: 'steps|events on|off',
    does: 'each step or event as it happens',
    args: [2, 2],
    run: (s, [what, how]) => {
      if ((what !== 'steps' && what !== 'events') || (how !== 'on' && how !== 'off')) {
        throw usageError('bad show', { got: `${what} ${how}`, expected: 'steps|events on|off' });
      }
      if (what === 'steps') s.showSteps = how === 'on';
      else s.showEvents = how === 'on';
      return { result: 'done' };
    },
  },
  help: {
    usage: '',
    does: 'this list',
    args: [0, 0],
    run: () => ({ result: Object.keys(VERBS), text: 'operations', lines: verbLines() }),
  },
};

/** The operations as --help shows them. */
export function verbLines(): string[] {
  const heads = Object.entries(VERBS).map(([name, verb]) => `${name} ${verb.usage}`.trim());
  return Object.values(VERBS).map((verb, i) => `  ${heads[i]!.padEnd(24)} ${verb.does}`);
}

/** Runs one line of a session. @throws P2mError where it is none. */
export function runCommand(session: Session, line: string): Reply {
  const [name, ...args] = line.trim().split(/\s+/);
  const verb = Object.hasOwn(VERBS, name ?? '') ? VERBS[name!] : undefined;
  if (verb === undefined) {
    throw usageError('unknown operation', { got: JSON.stringify(name ?? ''), expected: Object.keys(VERBS).join(', ') });
  }
  const [least, most] = verb.args;
  if (args.length < least || args.length > most) {
    throw usageError(`wrong number of arguments to ${name}`, {
      got: String(args.length),
      expected: `${name} ${verb.usage}`.trim(),
    });
  }
  return verb.run(session, args);
}

function statusOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^-?[0-9]{1,5}$/.test(text)) {
    throw usageError('bad grant status', { got: JSON.stringify(text), expected: 'a number, 0 for success' });
  }
  return Number(text);
}

function slotLine(s: Session, slot: number): string {
  const word = (field: number): number => s.domain.grant(slot, field);
  return `  slot ${slot}: pfn ${hex(word(Grant.pfn))} mfn ${hex(word(Grant.mfn))} status ${word(Grant.status)}`;
}
