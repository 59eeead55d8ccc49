import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { addBlame } from '../../cli/blame.js';
import { addLog } from '../../cli/log.js';
import { addShow } from '../../cli/show.js';
import { addStats } from '../../cli/stats.js';
import { runVerb, type InProcessRun } from './in_process.js';
import { temporaryFolder } from './run_p2m.js';

vi.mock('../../cli/output.js', async () => (await import('./in_process.js')).keptOutput);

const VERBS = { log: addLog, show: addShow, blame: addBlame, stats: addStats };

/** A small life: a list of builder's pages, then two stores of two tasks, with times. */
const EVENTS = [
  '{"format":"p2m-events","version":1,"geometry":"tiny","kernel":"7.0","entryBits":64,"capacity":{"nrPages":8,"areaPfns":64,"cpus":2,"pools":1,"sparePages":16,"m2pFrames":0}}',
  '{"seq":0,"cpu":0,"op":0,"kind":"boot","nrPages":8,"entries":[[8,"0x64",1]]}',
  '{"seq":1,"cpu":0,"op":0,"kind":"set_global","global":"xen_p2m_size","old":0,"new":8}',
  '{"seq":2,"cpu":0,"op":0,"kind":"set_global","global":"xen_p2m_addr","old":0,"new":1}',
  '{"seq":3,"cpu":1,"op":0,"kind":"task","pid":42,"comm":"xl dev"}',
  '{"seq":4,"cpu":1,"op":1,"kind":"origin","clock":"ns","time":87520279000,"around":"decrease_reservation","line":7}',
  '{"seq":5,"cpu":1,"op":1,"kind":"call","operation":"set_phys_to_machine","pfn":3,"value":"0xffffffffffffffff","origin":8}',
  '{"seq":6,"cpu":1,"op":1,"kind":"set_entry","pfn":3,"page":1,"old":"0x67","new":"0xffffffffffffffff"}',
  '{"seq":7,"cpu":1,"op":1,"kind":"return","operation":"set_phys_to_machine","result":"bool","value":1}',
  '{"end":true,"events":8}',
];

/** The same, and a look-up that belongs to no operation. */
const WITH_LOOK_UP = [
  ...EVENTS.slice(0, -1),
  '{"seq":8,"cpu":1,"op":0,"kind":"look_up","pfn":5,"value":"0x69"}',
  '{"end":true,"events":9}',
];

function run(verb: keyof typeof VERBS, ...args: string[]): Promise<InProcessRun> {
  return runOn(EVENTS, verb, ...args);
}

function runOn(events: readonly string[], verb: keyof typeof VERBS, ...args: string[]): Promise<InProcessRun> {
  const file = join(temporaryFolder(), 'small.jsonl');
  writeFileSync(file, `${events.join('\n')}\n`);
  return runVerb(VERBS[verb], [verb, file, ...args]);
}

describe('p2m log', () => {
  it('tells events under their operations', async () => {
    expect((await run('log', '--since', '3')).stdout).toMatchInlineSnapshot(`
      [
        "no operation",
        "         3  task           pid=42 comm=xl dev",
        "",
        "op 1 set_phys_to_machine(0x3, ~)",
        "  event 5, xl dev-42 on CPU 1, @87.520279, line 8, inside decrease_reservation of line 7",
        "         6  set_entry      0x3 m:103 -> ~ in builder's leaf 1",
        "         7  return         -> true",
      ]
    `);
  });

  it('tells a line an event', async () => {
    expect((await run('log', '--oneline', '--since', '@87.520279')).stdout).toMatchInlineSnapshot(`
      [
        "       4     87.520279   1 xl\\x20dev-42           1 -                     origin         clock=ns time=87520279000 around=decrease_reservation line=7",
        "       5     87.520279   1 xl\\x20dev-42           1 set_phys_to_machine   call           set_phys_to_machine(0x3, ~)",
        "       6     87.520279   1 xl\\x20dev-42           1 set_phys_to_machine   set_entry      0x3 m:103 -> ~ in builder's leaf 1",
        "       7     87.520279   1 xl\\x20dev-42           1 set_phys_to_machine   return         -> true",
      ]
    `);
  });

  it('tells events as JSON', async () => {
    expect((await run('log', '--json', '--op', 'set_entry')).stdout.map((line) => JSON.parse(line) as unknown))
      .toMatchInlineSnapshot(`
      [
        {
          "event": {
            "cpu": 1,
            "kind": "set_entry",
            "new": "0xffffffffffffffff",
            "old": "0x67",
            "op": 1,
            "page": 1,
            "pfn": 3,
            "seq": 6,
          },
          "operation": {
            "around": "decrease_reservation",
            "aroundLine": 7,
            "call": 5,
            "clock": "ns",
            "line": 8,
            "name": "set_phys_to_machine",
            "op": 1,
            "pfn": 3,
            "task": {
              "comm": "xl dev",
              "pid": 42,
            },
            "time": 87520279000,
            "value": "0xffffffffffffffff",
          },
        },
      ]
    `);
  });

  it.each([
    [
      ['--pfn', '3'],
      [0, 5, 6, 7],
    ],
    [
      ['--pfn', '4-9'],
      [0, 8],
    ],
    [
      ['--mfn', '103'],
      [0, 6],
    ],
    [
      ['--cpu', '1'],
      [3, 4, 5, 6, 7, 8],
    ],
    [
      ['--task', 'xl dev'],
      [4, 5, 6, 7],
    ],
    [
      ['--task', '42'],
      [4, 5, 6, 7],
    ],
    [
      ['--op', 'task,boot'],
      [0, 3],
    ],
    [
      ['--op', 'set_phys_to_machine'],
      [5, 6, 7],
    ],
    [
      ['--op', 'set_phys_to_machine,look_up', '--pfn', '3', '--cpu', '1', '--since', '6'],
      [6, 7],
    ],
  ])('lets pass what %j asks for', async (args, seqs) => {
    const { stdout } = await runOn(WITH_LOOK_UP, 'log', '--oneline', ...args);
    expect(stdout.map((line) => Number(line.slice(0, 8)))).toEqual(seqs);
  });

  it('includes the events that --since and --until name', async () => {
    expect((await run('log', '--oneline', '--since', '1', '--until', '2')).stdout).toHaveLength(2);
  });

  it.each([
    [['--op', 'nothing'], 'unknown kind'],
    [['--pfn', '9-3'], 'empty pfn range'],
    [['--since', '8'], 'no such event'],
    [['--cpu', '3-1'], 'reversed range of CPUs'],
    [['--since', '1.5'], 'bad moment'],
    [['--json', '--oneline'], '--json and --oneline'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr, stdout } = await run('log', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: [] });
    expect(stderr).toContain(message);
  });
});

describe('p2m show', () => {
  it('tells an event and its causes', async () => {
    expect((await run('show', '6')).stdout).toMatchInlineSnapshot(`
      [
        "event 6 set_entry 0x3 m:103 -> ~ in builder's leaf 1",
        "  means      the entry of pfn, in leaf \`page\`, the one that the store reached",
        "  fields     pfn 3, page 1, old 0x67, new 0xffffffffffffffff",
        "  in         __set_phys_to_machine",
        "  in         op 1 set_phys_to_machine(0x3, ~)",
        "  of         event 5, xl dev-42 on CPU 1, @87.520279, line 8, inside decrease_reservation of line 7",
        "  before     m:103",
        "  after      ~",
        "  look-ups   0x3: m:103 -> ~",
        "  set before event 2 set_global xen_p2m_addr 0 -> 1",
        "  set after  nothing changed what look-ups of 0x3 answer",
      ]
    `);
  });

  it('refuses an event beyond the end', async () => {
    const { code, stderr } = await run('show', '8');
    expect(code).toBe(2);
    expect(stderr).toContain('got 8, want at most 7');
  });
});

describe('p2m blame', () => {
  it('tells who set each entry', async () => {
    expect((await run('blame', '0-5')).stdout).toMatchInlineSnapshot(`
      [
        "0x0-0x3  m:100..  2  -  -                    -             -           set_global  was fault",
        "0x3      ~        6  1  set_phys_to_machine  xl\\x20dev-42  @87.520279  set_entry   was m:103",
        "0x4      m:104    2  -  -                    -             -           set_global  was fault",
      ]
    `);
  });

  it('goes back to a moment, and says what nobody set', async () => {
    expect((await run('blame', '3', '--at', '3')).stdout.join()).toContain('m:103');
    expect((await run('blame', '3', '--at', 'start')).stdout.join()).toContain('^');
  });
});

describe('p2m stats', () => {
  it('counts', async () => {
    expect((await run('stats')).stdout).toMatchInlineSnapshot(`
      [
        "events 8",
        "kinds",
        "  set_global  2",
        "  boot        1",
        "  call        1",
        "  origin      1",
        "  return      1",
        "  set_entry   1",
        "  task        1",
        "operations",
        "  set_phys_to_machine  1",
        "tasks",
        "  xl dev-42  1",
        "cpus",
        "  0  3",
        "  1  5",
        "operations over time, each line 0.000000001 s",
        "  @87.520279  1  ########################################",
        "hot pfns (stores)",
        "  0x3  1",
        "hot leaves (stores)",
        "  0x0  1",
      ]
    `);
  });
});
