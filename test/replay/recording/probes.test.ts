import { describe, expect, it } from 'vitest';
import { PAGE_TABLE_TRACEPOINTS, probesOf, type Probe } from '../../../replay/recording/probes.js';
import { entryOf, isReturn, TraceEvent } from '../../../replay/trace/trace_line.js';
import { FORMS, formByKernel } from '../../../src/index.js';

function definitions(kernel: string, lookUps = true): string[] {
  return probesOf(formByKernel(kernel), lookUps).map(({ definition }) => definition);
}

const events: Readonly<Record<string, number>> = TraceEvent;

describe('probesOf', () => {
  it.each(FORMS.map((form) => [form.name, form] as const))('names events that the replay of %s knows', (_, form) => {
    for (const probe of probesOf(form, true)) {
      const event = events[probe.event];
      expect(event, probe.event).toBeDefined();
      expect(isReturn(event!)).toBe(probe.kind === 'return');
      expect(entryOf(event!)).toBe(events[probe.function]);
    }
  });

  it('has the return of a function right after its entry, and no event twice', () => {
    for (const form of FORMS) {
      const probes = probesOf(form, true);
      expect(new Set(probes.map(({ event }) => event)).size).toBe(probes.length);
      probes.forEach((probe, i) => {
        if (probe.kind === 'return') expect(probes[i - 1]).toMatchObject({ function: probe.function, kind: 'entry' });
      });
    }
  });

  it('probes the allocating function by its name: alloc_p2m before 4.4, xen_alloc_p2m_entry from then on', () => {
    const allocates = ({ function: name }: Probe): boolean => name === 'alloc_p2m' || name === 'xen_alloc_p2m_entry';
    const names = (kernel: string): string[] =>
      probesOf(formByKernel(kernel), true)
        .filter(allocates)
        .map(({ definition }) => definition);
    for (const kernel of ['3.16', '3.19', '4.0', '4.3']) {
      expect(names(kernel)).toEqual([
        'p:p2m/alloc_p2m alloc_p2m pfn=%di',
        'r:p2m/alloc_p2m_ret alloc_p2m ret=$retval:u8',
      ]);
    }
    for (const kernel of ['4.4', '6.1', '7.0']) {
      expect(names(kernel).map((definition) => definition.replace(/^r64/, 'r'))).toEqual([
        'p:p2m/xen_alloc_p2m_entry xen_alloc_p2m_entry pfn=%di',
        'r:p2m/xen_alloc_p2m_entry_ret xen_alloc_p2m_entry ret=$retval:s32',
      ]);
    }
  });

  it('knows of alloc_p2m_pmd in the linear list only', () => {
    expect(definitions('3.18').filter((text) => text.includes('alloc_p2m_pmd'))).toEqual([]);
    expect(definitions('3.19')).toContain('p:p2m/alloc_p2m_pmd alloc_p2m_pmd addr=%di');
  });

  it('gives the number of active calls to kernels that take one only', () => {
    const types = (kernel: string): string[] => [...new Set(definitions(kernel).map((text) => text.split(':')[0]!))];
    expect(types('4.4')).toEqual(['p', 'r']);
    expect(types('4.15')).toEqual(['p', 'r64']);
  });

  it('leaves look-ups out when asked', () => {
    const isLookUp = (text: string): boolean => text.includes('get_phys_to_machine');
    expect(definitions('6.1').filter(isLookUp)).toHaveLength(2);
    expect(definitions('6.1', false)).toEqual(definitions('6.1').filter((text) => !isLookUp(text)));
  });
});

describe('PAGE_TABLE_TRACEPOINTS', () => {
  it('are the tracepoints that the replay knows', () => {
    expect(PAGE_TABLE_TRACEPOINTS[0]).toBe('xen/xen_mmu_set_pte');
    expect(PAGE_TABLE_TRACEPOINTS.every((name) => name.startsWith('xen/xen_mmu_'))).toBe(true);
    expect(PAGE_TABLE_TRACEPOINTS).toContain('xen/xen_mmu_set_pmd');
  });
});
