import { assert, EntryCodec, usageError } from '../../events/index.js';
import { Domain } from '../domain.js';
import type { Form } from '../forms.js';
import type { Machines } from '../machines.js';
import { FlatMemory } from '../memory/flat.js';
import type { Capacity } from '../memory/layout.js';
import type { Memory, MemoryBuffers } from '../memory/memory.js';
import { PagedMemory } from '../memory/paged.js';
import { Control, controlBytes } from './control.js';
import { EventRing, RING_ROWS, ROW_INTS } from './event_ring.js';
import { Spinlock, SPINLOCK_WORDS } from './spinlock.js';
import { ThreadPort } from './thread_port.js';

/** A domain that threads share: a message that tells it to a worker, for structured clone keeps the buffers one. */
export interface SharedDomain {
  readonly form: Form;
  readonly kind: 'paged' | 'flat';
  readonly capacity: Capacity;
  readonly buffers: MemoryBuffers;
  readonly control: SharedArrayBuffer;
  /** Rows of the ring of each thread: one for each CPU. */
  readonly rings: readonly SharedArrayBuffer[];
  /** Operations that were begun before. */
  readonly ops: number;
}

/**
 * Shares a domain whose events were all handed on: from here on its CPUs belong to threads of their numbers, and this domain is
 * left alone until they have ended.
 * @param rows  that a ring holds, a power of two
 * @throws P2mError `usage` where an entry is kept in a side table, which is not shared
 */
export function shareDomain(domain: Domain, rows = RING_ROWS): SharedDomain {
  const { form, memory } = domain;
  assert(domain.batch.length === 0, 'events of the domain were not handed on');
  if (memory.codec.wideCount > 0) {
    throw usageError('threads cannot share entries of more than 30 bits', {
      got: `${memory.codec.wideCount} of them`,
      expected: 'mfns below 0x40000000',
    });
  }
  return {
    form,
    kind: memory.kind,
    capacity: memory.capacity,
    buffers: memory.buffers,
    control: new SharedArrayBuffer(controlBytes(memory.layout.cpus)),
    rings: Array.from({ length: memory.layout.cpus }, () => new SharedArrayBuffer(rows * ROW_INTS * 4)),
    ops: domain.ops,
  };
}

/** A thread's own view of a domain that is shared. */
export interface JoinedDomain {
  /** Only CPU `thread` of it may run; its operations have numbers of their own. */
  readonly domain: Domain;
  readonly port: ThreadPort;
  readonly control: Int32Array;
}

/**
 * Joins a shared domain as its CPU `thread`.
 * @param machines that stand in for those of the form
 */
export function joinDomain(shared: SharedDomain, thread: number, machines: Partial<Machines> = {}): JoinedDomain {
  const { form, capacity, ops } = shared;
  const memory = memoryOf(shared);
  const threads = shared.rings.length;
  const domain = new Domain({
    form,
    geometry: capacity.geometry,
    nrPages: capacity.nrPages,
    cpus: threads,
    memory,
    machines,
    ops: { first: ops + 1 + thread, stride: threads },
  });
  const control = new Int32Array(shared.control);
  const lock = new Spinlock(control.subarray(Control.lock, Control.lock + SPINLOCK_WORDS), thread);
  const ring = new EventRing(control, new Int32Array(shared.rings[thread]!), thread);
  const ports = domain.usePorts((shared, batch, cpu) => new ThreadPort(shared, batch, cpu, { control, lock, ring }));
  return { domain, port: ports[thread]!, control };
}

/** The memory that is shared, for who reads it or recovers it. */
export function memoryOf({ kind, capacity, buffers }: SharedDomain): Memory {
  const codec = new EntryCodec(capacity.geometry.entryBits);
  return kind === 'flat' ? new FlatMemory(capacity, codec, buffers) : new PagedMemory(capacity, codec, buffers);
}
