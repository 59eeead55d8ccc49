import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FtraceDecoder } from '../../../replay/trace/ftrace.js';
import { ArgKey, TraceLine, TraceNames } from '../../../replay/trace/trace_line.js';
import { LineKind } from '../../../replay/trace/trace_reader.js';
import { readDecimal, readHex, readNumber } from '../../../replay/trace/trace_number.js';
import { bytesOf, decodeLine, mutated, mutation, readChunks, seenLine } from './trace_lines.js';

const hexDigits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => value.toString(16));
const number = fc.oneof(
  hexDigits.map((digits) => `0x${digits}`),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
  fc.integer({ min: -100, max: 300 }).map(String),
);
const head = fc
  .tuple(
    fc.constantFrom('gnt-272', 'xen-balloon-41', '<idle>-0', 'kworker/0:1-12', 'a b: c-1', 'x-1 [0] y-5'),
    fc.constantFrom('[000]', '[001]', '(   12) [002]'),
    fc.constantFrom('', '.....', '.N...', 'd..1', 'dNh2....'),
  )
  .map(([task, cpu, flags]) => `     ${task}      ${cpu} ${flags}`);
const time = fc.oneof(
  fc.nat(10 ** 9).map(String),
  fc.tuple(fc.nat(99_999), fc.nat(999_999)).map(([whole, part]) => `${whole}.${String(part).padStart(6, '0')}`),
);
const body = fc.oneof(
  fc.tuple(number, number).map(([pfn, mfn]) => `__set_phys_to_machine: (f+0x0/0x180) pfn=${pfn} mfn=${mfn}`),
  number.map((ret) => `__set_phys_to_machine_ret: ([unknown/kretprobe'd] <- f) ret=${ret}`),
  number.map((count) => `set_foreign_p2m_mapping: (f+0x0/0x300 [xen_gntdev]) kmap_ops=0x0 count=${count} x=y`),
  fc.tuple(hexDigits, hexDigits).map(([value, raw]) => `xen_mmu_set_pte: ptep 12ab pteval ${value} (raw ${raw})`),
  fc.constant('p2m_mid_mfn_init: (p2m_mid_mfn_init+0x0/0xe0)'),
  fc.constant('sched_switch: prev_comm=a ==> next_comm=b'),
);
const eventLine = fc.tuple(head, time, body).map(([left, stamp, right]) => `${left}   ${stamp}: ${right}`);
const anyLine = fc.oneof(
  { weight: 20, arbitrary: eventLine },
  fc.constant('# a comment'),
  fc.constant(''),
  fc.constant('CPU:1 [LOST 12 EVENTS]'),
);

/** A log and the places where to cut it. */
const chunkedLog = fc
  .tuple(fc.array(anyLine, { maxLength: 30 }), fc.boolean())
  .map(([lines, ended]) => bytesOf(lines.join('\n') + (ended ? '\n' : '')))
  .chain((bytes) => fc.tuple(fc.constant(bytes), fc.array(fc.nat(bytes.length), { maxLength: 40 })));

describe('TraceReader', () => {
  it('reads the same lines however the log is cut into chunks', () => {
    fc.assert(
      fc.property(chunkedLog, ([bytes, cuts]) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, i) => bytes.slice(at[i], end));
        const cut = readChunks(chunks);
        const whole = readChunks([bytes]);
        expect(cut.events).toEqual(whole.events);
        expect(cut.losses).toEqual(whole.losses);
        expect([cut.reader.lines, cut.reader.bytes]).toEqual([whole.reader.lines, bytes.length]);
      }),
    );
  });

  it('reads the same lines byte by byte from memory that is used again', () => {
    fc.assert(
      fc.property(chunkedLog, ([bytes]) => {
        const chunk = new Uint8Array(1);
        const chunks = (function* () {
          for (const byte of bytes) {
            chunk[0] = byte;
            yield chunk;
          }
        })();
        expect(readChunks(chunks).events).toEqual(readChunks([bytes]).events);
      }),
      { numRuns: 30 },
    );
  });
});

describe('FtraceDecoder', () => {
  it('reads a line by a learned shape exactly as it does without', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(eventLine, fc.option(mutation, { freq: 3 })), { minLength: 2, maxLength: 60 }),
        (samples) => {
          const names = new TraceNames();
          const learned = new FtraceDecoder(names);
          for (const [text, change] of samples) {
            const bytes = bytesOf(change === null ? text : mutated(text, change));
            const [a, b] = [new TraceLine(), new TraceLine()];
            const fresh = new FtraceDecoder(names);
            const kindLearned = decodeLine(learned, bytes, a);
            expect(kindLearned).toBe(decodeLine(fresh, bytes, b));
            if (kindLearned === LineKind.event) expect(seenLine(a, learned)).toEqual(seenLine(b, fresh));
            if (kindLearned === LineKind.bad) expect(learned.fault).toEqual(fresh.fault);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('reads back every number that it prints', () => {
    const line = new TraceLine();
    const back = () => (BigInt(line.hi[ArgKey.pfn]!) << 32n) | BigInt(line.lo[ArgKey.pfn]!);
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
        const text = bytesOf(`${value} `);
        expect(readNumber(text, 0, text.length, line.hi, line.lo, ArgKey.pfn)).toBe(text.length - 1);
        expect(back()).toBe(BigInt.asUintN(64, value));
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 70n }), fc.nat(20), (value, zeros) => {
        const hex = bytesOf('0'.repeat(zeros) + value.toString(16));
        const decimal = bytesOf('0'.repeat(zeros) + value.toString());
        const fits = value < 2n ** 64n;
        expect(readHex(hex, 0, hex.length, line.hi, line.lo, ArgKey.pfn)).toBe(fits ? hex.length : -1);
        if (fits) expect(back()).toBe(value);
        expect(readDecimal(decimal, 0, decimal.length, line.hi, line.lo, ArgKey.pfn)).toBe(fits ? decimal.length : -1);
        if (fits) expect(back()).toBe(value);
      }),
    );
  });
});
