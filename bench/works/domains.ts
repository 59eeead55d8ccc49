import { assert, mfnWord } from '../../events/index.js';
import { bootSequence, Domain, formByKernel, GEOMETRIES, type DomainOptions, type PfnRange } from '../../src/index.js';

/** First machine frame of the lists here, as in c/look_up.c: pfn p holds MFN_BASE + p. */
export const MFN_BASE = 0x100000;

/** What a work may choose; the newest kernel and the paged memory where it does not. */
export type Options = Partial<DomainOptions> & { readonly nrPages: number };

/** An x86_64 domain that has just left boot, its `nrPages` pfns populated but for the holes. */
export function bootedDomain(options: Options, holes: readonly PfnRange[] = []): Domain {
  const domain = new Domain({ form: formByKernel('7.0'), geometry: GEOMETRIES.x86_64, ...options });
  const steps = bootSequence(domain, { nrPages: options.nrPages, firstEntry: mfnWord(MFN_BASE), holes });
  const last = steps.at(-1)!;
  assert(last.name === 'xen_setup_mfn_list_list', `the boot ended at ${last.name}: ${last.outcome.kind}`);
  domain.flush();
  return domain;
}
