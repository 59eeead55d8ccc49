import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decoderFor, sniffLog, type TextFormat } from '../../../replay/trace/sniff.js';
import { TraceLine, TraceNames } from '../../../replay/trace/trace_line.js';
import { LineKind } from '../../../replay/trace/trace_reader.js';
import { bytesOf, decodeLine, mutated, mutation, readLog, seenLine, type SeenLine } from './trace_lines.js';

/** A line of a log before it is printed. */
interface Event {
  readonly task: string;
  readonly pid: number;
  readonly cpu: number;
  readonly flags: string;
  readonly time: string;
  readonly name: string;
  readonly place: string;
  readonly args: Readonly<Record<string, bigint>>;
}

const value = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const task = fc.oneof(
  fc.constantFrom('gnt', 'xen-balloon', '<idle>', '<...>', 'kworker/0:1-ev', '(sd-pam)', 'a [1] b', 'Web Content', 'é'),
  fc
    .string({ unit: fc.constantFrom(...'abXY019 -:/_.<>()'.split('')), minLength: 1, maxLength: 15 })
    .filter((name) => name.trim() === name && !/\d:/.test(name)),
);
const name = fc.constantFrom(
  ['__set_phys_to_machine', 'pfn', 'mfn'],
  ['__set_phys_to_machine_ret', 'ret'],
  ['get_phys_to_machine_ret', 'mfn'],
  ['set_foreign_p2m_mapping', 'map_ops', 'kmap_ops', 'pages', 'count'],
  ['xen_create_contiguous_region', 'pstart', 'order', 'bits'],
  ['p2m_mid_mfn_init'],
);
const event: fc.Arbitrary<Event> = name.chain(([eventName, ...keys]) =>
  fc.record({
    task,
    pid: fc.integer({ min: 0, max: 4_194_304 }),
    cpu: fc.integer({ min: 0, max: 1023 }),
    flags: fc.constantFrom('', '.....', '.N...', 'd..1', 'dNh2....'),
    time: fc
      .tuple(fc.nat(999_999), fc.nat(999_999))
      .map(([whole, part]) => `${whole}.${String(part).padStart(6, '0')}`),
    name: fc.constant(eventName),
    place: fc.constantFrom('f+0x0/0x40', "[unknown/kretprobe'd] <- f", 'g+0x1/0x2 [xen_gntdev] <- f'),
    args: fc.record(Object.fromEntries(keys.map((key) => [key, value]))),
  }),
);

const hex = (number: bigint) => `0x${number.toString(16)}`;
const printArgs = ({ args }: Event, print = hex) =>
  Object.entries(args)
    .map(([key, number]) => ` ${key}=${print(number)}`)
    .join('');
const cpu3 = (cpu: number) => `[${String(cpu).padStart(3, '0')}]`;

/** How each format prints an event, in one or two manners. */
const PRINT: Readonly<Record<Exclude<TextFormat, 'early-boot'>, ((event: Event) => string)[]>> = {
  ftrace: [
    (e) =>
      `${e.task.padStart(16)}-${e.pid}  ${cpu3(e.cpu)} ${e.flags} ${e.time}: ${e.name}: (${e.place})${printArgs(e)}`,
    (e) =>
      `${e.task.padStart(16)}-${e.pid}  (-------) ${cpu3(e.cpu)} ${e.flags} ${e.time}: ${e.name}: (${e.place})${printArgs(e, String)}`,
  ],
  'trace-cmd': [
    (e) =>
      `${e.task.padStart(16)}-${String(e.pid).padEnd(5)} ${cpu3(e.cpu)} ${e.time.padStart(12)}: ${e.name}: (${e.place})${printArgs(e)}`,
    (e) =>
      `${e.task.padStart(8)}-${String(e.pid).padEnd(5)} ${String(e.cpu).padStart(3)}${e.flags || '.....'} ${e.time}: ${e.name}: (${e.place})${printArgs(e)}`,
  ],
  perf: [
    (e) =>
      `${e.task.padStart(16)} ${String(e.pid).padStart(5)} ${cpu3(e.cpu)} ${e.time.padStart(12)}: ${`p2m:${e.name}`.padStart(30)}: (${e.place})${printArgs(e)}`,
    (e) =>
      `${e.task.padStart(16)} 7/${e.pid} ${cpu3(e.cpu)} ${e.time}: 1 probe:${e.name}: (${e.place})${printArgs(e, String)}`,
  ],
};

function expectBack(seen: SeenLine, e: Event, call = 0): void {
  expect(seen).toMatchObject({ task: e.task, pid: e.pid, cpu: e.cpu, event: e.name, place: e.place, call });
  expect(seen.time).toBe(e.time);
  expect(seen.args).toEqual(Object.fromEntries(Object.entries(e.args).map(([key, number]) => [key, hex(number)])));
}

describe.each(Object.entries(PRINT) as [keyof typeof PRINT, (typeof PRINT)['perf']][])('%s', (format, manners) => {
  it('reads back what is printed', () => {
    const logs = fc.tuple(fc.array(event, { minLength: 1, maxLength: 30 }), fc.constantFrom(...manners));
    fc.assert(
      fc.property(logs, ([events, print]) => {
        const text = bytesOf(events.map((e) => `${print(e)}\n`).join(''));
        const seen = readLog([text], decoderFor(format, new TraceNames()));
        expect(seen.events).toHaveLength(events.length);
        events.forEach((e, i) => expectBack(seen.events[i]!, e));
      }),
      { numRuns: 200 },
    );
  });

  it('is known for what it is by its first line', () => {
    const first = event.filter(({ task: name }) => !/\d/.test(name)).map(manners[0]!);
    fc.assert(
      fc.property(first, (line) => {
        const known = sniffLog(bytesOf(format === 'trace-cmd' ? `cpus=2\n${line}` : line), 'log.txt');
        expect(known).toBe(format);
      }),
    );
  });

  it('reads a line by a learned shape exactly as it does without', () => {
    const lines = fc.array(fc.tuple(event, fc.nat(1), fc.option(mutation, { freq: 3 })), {
      minLength: 2,
      maxLength: 60,
    });
    fc.assert(
      fc.property(lines, (samples) => {
        const names = new TraceNames();
        const learned = decoderFor(format, names);
        for (const [e, manner, change] of samples) {
          const text = manners[manner]!(e);
          const bytes = bytesOf(change === null ? text : mutated(text, change));
          const [a, b] = [new TraceLine(), new TraceLine()];
          const fresh = decoderFor(format, names);
          const kind = decodeLine(learned, bytes, a);
          expect(kind).toBe(decodeLine(fresh, bytes, b));
          if (kind === LineKind.event) expect(seenLine(a, learned)).toEqual(seenLine(b, fresh));
          if (kind === LineKind.bad) expect(learned.fault).toEqual(fresh.fault);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('early-boot', () => {
  it('reads back what is printed, and tells each gap', () => {
    const calls = fc.array(fc.tuple(event, fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(calls, (steps) => {
        let number = 0;
        const numbers = steps.map(([, step]) => (number += step));
        const text = steps.map(
          ([e], i) => `${numbers[i]} cpu${e.cpu} ${e.name}: caller=0xffffffff81021ea4${printArgs(e)}\n`,
        );
        const seen = readLog([bytesOf(text.join(''))], decoderFor('early-boot', new TraceNames()));
        expect(seen.events.map(({ call, lost }) => [call, lost])).toEqual(
          steps.map(([, step], i) => [numbers[i], step - 1]),
        );
        expect(seen.losses.reduce((sum, { lost }) => sum + lost, 0)).toBe(number - steps.length);
        steps.forEach(([e], i) =>
          expectBack(seen.events[i]!, { ...e, task: '', pid: 0, time: String(numbers[i]), place: '' }, numbers[i]),
        );
      }),
    );
  });
});
