import { describe, expect, it } from 'vitest';
import { armamentOf, isQuotable, recordScript, type RecordPlan } from '../../../replay/recording/record_script.js';
import { formByKernel } from '../../../src/index.js';

function plan(kernel: string, more: Partial<RecordPlan> = {}): RecordPlan {
  return {
    kernel,
    form: formByKernel(kernel),
    lookUps: true,
    pageTables: false,
    bufferKib: 16384,
    clock: 'counter',
    ...more,
  };
}

/** The lines that differ from those of the script for 6.1. */
function differences(script: string): string[] {
  const usual = new Set(recordScript(plan('6.1')).split('\n'));
  return script.split('\n').filter((line) => !usual.has(line));
}

describe('recordScript', () => {
  it('is record_script.6.1.sh for 6.1', async () => {
    await expect(recordScript(plan('6.1'))).toMatchFileSnapshot('record_script.6.1.sh');
  });

  it('has other probes for other kernels', () => {
    expect(differences(recordScript(plan('6.12')))).toEqual([
      '# Records what a Xen PV domain does with its p2m list. For Linux 6.12 (form 5.17) on x86-64.',
      "kernel='6.12'",
      "series='6.12'",
    ]);
    const before44 = [
      'r:p2m/__set_phys_to_machine_ret __set_phys_to_machine ret=$retval:u8',
      'r:p2m/set_phys_to_machine_ret set_phys_to_machine ret=$retval:u8',
      'r:p2m/get_phys_to_machine_ret get_phys_to_machine mfn=$retval',
      'p:p2m/alloc_p2m alloc_p2m pfn=%di',
      'r:p2m/alloc_p2m_ret alloc_p2m ret=$retval:u8',
      'r:p2m/alloc_p2m_pmd_ret alloc_p2m_pmd ret=$retval',
      'r:p2m/alloc_p2m_page_ret alloc_p2m_page page=$retval',
      'r:p2m/set_foreign_p2m_mapping_ret set_foreign_p2m_mapping ret=$retval:s32',
      'r:p2m/clear_foreign_p2m_mapping_ret clear_foreign_p2m_mapping ret=$retval:s32',
      'r:p2m/xen_create_contiguous_region_ret xen_create_contiguous_region ret=$retval:s32',
    ];
    for (const kernel of ['3.19', '4.0']) {
      expect(differences(recordScript(plan(kernel)))).toEqual([
        `# Records what a Xen PV domain does with its p2m list. For Linux ${kernel} (form ${kernel}) on x86-64.`,
        `kernel='${kernel}'`,
        `series='${kernel}'`,
        ...before44,
      ]);
    }
  });

  it('says that the old tree is recorded, but not replayed', () => {
    expect(recordScript(plan('3.18'))).toContain('# This kernel keeps the list as a tree:');
    expect(recordScript(plan('3.19'))).not.toContain('tree');
  });

  it('takes buffer, clock and tracepoints from the plan', () => {
    const script = recordScript(plan('6.1', { bufferKib: 8, clock: 'mono', pageTables: true }));
    const [clock, buffer, tracepoints, ...rest] = differences(script);
    expect([clock, buffer]).toEqual(["clock='mono'", 'buffer_kib=8 # of each CPU']);
    expect(tracepoints).toMatch(/^tracepoints='xen\/xen_mmu_set_pte .* xen\/xen_mmu_release_ptpage'$/);
    expect(rest).toEqual([]);
  });

  it.each([
    ['6.1.0-56-amd64', '6.1'],
    ['v6.12-rc3', '6.12'],
    ['5.4', '5.4'],
    ['7of8', ''],
    ['v3', ''],
  ])('takes %s for one of the %s kernels', (kernel, series) => {
    expect(recordScript(plan(kernel))).toContain(`\nseries='${series}'\n`);
  });
});

describe('armamentOf', () => {
  it('has tracepoints only when asked', () => {
    expect(armamentOf(plan('6.1')).tracepoints).toEqual([]);
    expect(armamentOf(plan('6.1', { pageTables: true })).tracepoints).toContain('xen/xen_mmu_set_pmd');
  });
});

describe('isQuotable', () => {
  it('refuses what a shell would read otherwise', () => {
    expect(['6.1.0-56-amd64', '5.10~rc1+b1', '7of8'].every(isQuotable)).toBe(true);
    expect(["6.1-'", '6.1-$(ls)', '6.1-a b', '6.1-\n', ''].some(isQuotable)).toBe(false);
  });
});
