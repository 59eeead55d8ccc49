import { KINDS } from '../../events/index.js';
import { ATTEMPTS, Touch, type Domain, type Machine, type ObservedPort, type Row } from '../../src/index.js';
import type { StepRow } from '../explore/program.js';
import { WordNames } from './word_names.js';

/** Says what each row of a step did, from what its port has kept. */
export class StepTeller {
  readonly rows: StepRow[] = [];
  readonly #domain: Domain;
  readonly #port: ObservedPort;
  readonly #names: WordNames;
  /** What is told already. */
  #events: number;
  #touches = 0;

  /** The step begins now, and the port has kept nothing of it yet. */
  constructor(domain: Domain, port: ObservedPort) {
    this.#domain = domain;
    this.#port = port;
    this.#names = new WordNames(domain);
    this.#events = domain.batch.length;
  }

  /** A row has run. */
  readonly onRow = (machine: Machine, { label, does }: Row): void => {
    this.rows.push({ where: machine.name, label, does, effect: withoutName(this.#effect(), does) });
    this.#events = this.#domain.batch.length;
    this.#touches = this.#port.touches.count;
  };

  #effect(): string {
    const effects = [...this.#pages(), ...this.#words()];
    return effects.length > 0 ? effects.join(', ') : this.#fault();
  }

  /** Pages allocated and freed: not shared, but the report is not clear without their names. */
  #pages(): string[] {
    const { batch } = this.#domain;
    const effects: string[] = [];
    for (let i = this.#events; i < batch.length; i++) {
      if (batch.kind[i] === KINDS.alloc_failed.id) effects.push('fails');
      if (batch.kind[i] === KINDS.alloc_page.id || batch.kind[i] === KINDS.free_page.id) {
        effects.push(this.#names.page(batch.a[i]!));
      }
    }
    return effects;
  }

  /** Words that the kernel's own code touched: not those of the MMU's walk. */
  #words(): string[] {
    const { kinds, addresses, olds, values, count } = this.#port.touches;
    const effects: string[] = [];
    for (let i = this.#touches; i < count; i++) {
      const address = addresses[i]!;
      if (address === ATTEMPTS || kinds[i] === Touch.walk || kinds[i] === Touch.page) continue;
      if (kinds[i] === Touch.copy) {
        if (kinds[i - 1] !== Touch.copy || i === this.#touches) effects.push(this.#source(address));
      } else if (kinds[i] !== Touch.read || !this.#isWritten(address)) {
        effects.push(this.#names.change(address, olds[i]!, values[i]!));
      }
    }
    return effects;
  }

  #source(address: number): string {
    return `copy of ${this.#names.page(this.#names.pageAt(address))}`;
  }

  /** A store has no effect but that: what it replaced was looked at on the way. */
  #isWritten(address: number): boolean {
    const { kinds, addresses, count } = this.#port.touches;
    for (let i = this.#touches; i < count; i++) {
      if (addresses[i] === address && kinds[i] !== Touch.read) return true;
    }
    return false;
  }

  /** An entry whose walk ended without an access. */
  #fault(): string {
    const { kinds, addresses, values, count } = this.#port.touches;
    if (count === this.#touches || kinds[count - 1] !== Touch.walk) return '';
    return `fault at ${this.#names.value(addresses[count - 1]!, values[count - 1]!)}`;
  }
}

/** `xen_p2m_last_pfn 4096` behind `R xen_p2m_last_pfn` need not say the name again. */
function withoutName(effect: string, does: string): string {
  const name = /^\w+_\w+ /.exec(effect)?.[0] ?? '';
  return name !== '' && does.split(' ').includes(name.trimEnd()) ? effect.slice(name.length) : effect;
}
