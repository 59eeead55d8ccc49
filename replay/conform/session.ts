import { Global, type EventBatch, type Word } from '../../events/index.js';
import {
  alignUp,
  count,
  digests,
  Domain,
  entryRuns,
  noCounters,
  structure,
  type Counters,
  type EntryRuns,
  type Outcome,
} from '../../src/index.js';
import { overlay } from '../scenario/overlay.js';
import type { Vector, VectorOp } from './vector.js';

/** What an operation gave, in the fields of a vector's `out`. */
export type Out = Record<string, unknown>;

/** Runs the operations of a vector, one after the other, and gives for each what the vectors record. */
export class VectorSession {
  readonly #domain: Domain;
  #counters: Counters = noCounters();
  #rebuilt = false;
  #sharedUp = false;

  constructor(vector: Vector, memory: 'paged' | 'flat') {
    let nrPages = 1;
    let limit = 0;
    for (const { op } of vector.lines) {
      if (op.op === 'boot') nrPages = Math.max(nrPages, op.nrPages);
      if (op.op === 'limit') limit = Math.max(limit, op.gb * vector.geometry.pfnsPerGib);
    }
    this.#domain = new Domain({
      form: vector.form,
      geometry: vector.geometry,
      memory,
      nrPages,
      maxPfn: vector.form.p2mLimit ? limit : 0,
      onEvents: (batch: EventBatch) => count(this.#counters, batch, vector.geometry),
    });
  }

  /** Runs one operation. */
  run(op: VectorOp): Out {
    const out = this.#run(op);
    this.#domain.flush();
    for (const [name, n] of Object.entries(this.#counters)) if (n !== 0) out[name] = n;
    this.#counters = noCounters();
    return out;
  }

  #run(op: VectorOp): Out {
    const d = this.#domain;
    const { machines } = d;
    const { codec } = d.memory;
    switch (op.op) {
      case 'limit':
        if (d.form.p2mLimit) d.setGlobal(Global.p2m_limit, op.gb * d.geometry.pfnsPerGib);
        return { ret: true };
      case 'flags':
        d.setGlobal(Global['start_info.flags'], op.flags);
        return { ret: true };
      case 'boot':
        return this.#ended(d.boot(op.nrPages, this.#builderList(op)), () => this.#sizes());
      case 'identity': {
        const outcome = d.run('set_phys_range_identity', machines.setPhysRangeIdentity, op.start, 0, op.end);
        return this.#ended(outcome, (ret) => ({ ret }));
      }
      case 'extra':
        d.setExtraMem(op.ranges);
        return { ret: true };
      case 'rebuild': {
        const outcome = d.run('xen_vmalloc_p2m_tree', machines.xenVmallocP2mTree, 0);
        this.#rebuilt = true;
        return this.#ended(outcome, () => ({ ...this.#sizes(), lastPfn: d.global(Global.xen_p2m_last_pfn) }));
      }
      case 'buildTree':
        return this.#ended(d.run('xen_build_mfn_list_list', machines.xenBuildMfnListList, 0), () => ({ ret: true }));
      case 'setupShared': {
        d.setGlobal(Global.HYPERVISOR_shared_info, 1);
        this.#sharedUp = true;
        return this.#ended(d.run('xen_setup_mfn_list_list', machines.xenSetupMfnListList, 0), () => ({
          maxPfn: d.global(Global['shared_info.max_pfn']),
          frameListList: d.global(Global['shared_info.pfn_to_mfn_frame_list_list']) > 0 ? 'top_mfn' : '~',
        }));
      }
      case 'slab':
        d.slabUp();
        return { ret: true };
      case 'failAt':
        d.armFailure(op.n, 0);
        return { ret: true };
      case 'failFrom':
        d.armFailure(0, op.n);
        return { ret: true };
      case 'noFail':
        d.armFailure(0, 0);
        return { ret: true };
      case 'set': {
        const outcome = d.run('set_phys_to_machine', machines.setPhysToMachine, op.pfn, codec.parse(op.val));
        return this.#ended(outcome, (ret) => ({ ret: ret !== 0, ...this.#lastPfn() }));
      }
      case 'rawSet': {
        const outcome = d.run('__set_phys_to_machine', machines.setPhysToMachineNoAlloc, op.pfn, codec.parse(op.val));
        return this.#ended(outcome, (ret) => ({ ret: ret !== 0 }));
      }
      case 'setRun':
        return this.#setRun(op.pfn, op.count, codec.parse(op.val), op.stride);
      case 'get':
        return this.#value(d.run('get_phys_to_machine', machines.getPhysToMachine, op.pfn));
      case 'lookup':
        return this.#value(d.run('__pfn_to_mfn', machines.pfnToMfnRaw, op.pfn));
      case 'pfnToMfn':
        return this.#value(d.run('pfn_to_mfn', machines.pfnToMfn, op.pfn));
      case 'dump':
        return this.#dump(op.start, op.count, op.structs ?? false);
    }
  }

  #ended(outcome: Outcome, fields: (value: number) => Out): Out {
    if (outcome.kind === 'bug') return { bug: outcome.bug };
    if (outcome.kind === 'fault') return { fault: outcome.access };
    return fields(outcome.value);
  }

  #value(outcome: Outcome): Out {
    return this.#ended(outcome, (word) => ({ ret: this.#domain.memory.codec.format(word) }));
  }

  #sizes(): Out {
    return { size: this.#domain.global(Global.xen_p2m_size), max: this.#domain.global(Global.xen_max_p2m_pfn) };
  }

  #lastPfn(): Out {
    const d = this.#domain;
    if (!d.form.listForTools) return {};
    return {
      lastPfn: d.global(Global.xen_p2m_last_pfn),
      maxPfn: this.#sharedUp ? d.global(Global['shared_info.max_pfn']) : 0,
    };
  }

  /** All calls are made, also after one that failed; an assertion or a fault ends the operation. */
  #setRun(pfn: number, total: number, value: Word, stride: number): Out {
    const d = this.#domain;
    let ok = 0;
    let firstFail = -1;
    for (let i = 0, word = value; i < total; i++, word = d.memory.codec.add(word, stride)) {
      const outcome = d.run('set_phys_to_machine', d.machines.setPhysToMachine, pfn + i, word);
      if (outcome.kind !== 'bool') return this.#ended(outcome, () => ({}));
      if (outcome.value !== 0) ok++;
      else if (firstFail < 0) firstFail = i;
    }
    return { ok, firstFail };
  }

  /** The builder's list: garbage everywhere, the runs of the vector over it, in their order. */
  #builderList(op: Extract<VectorOp, { op: 'boot' }>): EntryRuns {
    const { codec } = this.#domain.memory;
    const room = alignUp(op.nrPages, this.#domain.geometry.perPage);
    const garbage = codec.fromHex(op.garbage);
    let runs: [count: number, word: Word, stride: number][] = [[room, garbage, 0]];
    for (const [start, length, text, stride] of op.mfns) {
      const end = Math.min(start + length, op.nrPages);
      if (start < end) runs = overlay(runs, start, end, codec.parse(text), stride, codec.add.bind(codec));
    }
    return runs;
  }

  #dump(start: number, total: number, structs: boolean): Out {
    const d = this.#domain;
    const { codec } = d.memory;
    const sizes = this.#sizes();
    const end = total === 0 ? d.global(Global.xen_max_p2m_pfn) : start + total;
    const { lookup, raw } = digests(d.memory, start, end);
    const entries = entryRuns(d.memory, start, end).map((run) =>
      run.kind === 'missing' || run.kind === 'identity' || run.kind === 'fault'
        ? [run.start, run.count, run.kind]
        : [run.start, run.count, run.kind, codec.frameOf(run.first)],
    );
    const out: Out = { ...sizes, window: [start, end], entries, lookupDigest: lookup, rawDigest: raw };
    return structs && this.#rebuilt ? { ...out, ...structure(d.memory) } : out;
  }
}
