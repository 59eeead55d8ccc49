import { ptePage, type Cpu, type Domain } from '../../src/index.js';

/** The page of the leaf that the list has for `pfn`. */
export function leafOf(d: Domain, pfn: number): number {
  return ptePage(d.memory.pteOf(pfn));
}

/** The pages of leaves [0, count) of the list, in order. */
export function leavesOf(d: Domain, count: number): number[] {
  return Array.from({ length: count }, (_, i) => leafOf(d, i * d.geometry.perPage));
}

/** Steps `cpu` until the row labelled `label` is next. @throws Error when the operation ends before. */
export function stepTo(cpu: Cpu, label: string): void {
  while (cpu.state === 'running') {
    if (cpu.row.label === label) return;
    cpu.step();
  }
  throw new Error(`the operation ended (${cpu.state}) before a row ${label}`);
}

/** Runs a reader of the list to its end on the last CPU. Gives its answer and the leaves that it found. */
export function read(d: Domain, reader: 'read_mfn_tree' | 'read_p2m_cr3'): { count: number; leaves: number[] } {
  const cpu = d.cpus.length - 1;
  const machine = reader === 'read_mfn_tree' ? d.machines.readMfnTree : d.machines.readP2mCr3;
  const outcome = d.run(reader, machine, 0, 0, 0, cpu);
  if (outcome.kind !== 'count') throw new Error(`got ${JSON.stringify(outcome)}, want a count`);
  return { count: outcome.value, leaves: d.takeEmitted(cpu) };
}
