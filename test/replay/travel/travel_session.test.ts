import { describe, expect, it } from 'vitest';
import { BatchLog } from '../../../events/index.js';
import { TravelSession } from '../../../replay/index.js';
import { COMMANDS } from '../../../replay/travel/commands.js';
import { allPieces } from '../../../replay/travel/pieces.js';
import { logOfEvents } from '../audit/logs.js';
import { raceLog, transcript } from './travelled_logs.js';

const LOG = raceLog();
const session = (): TravelSession => new TravelSession(LOG);
const say = (to: TravelSession, line: string): readonly string[] => allPieces(to.execute(line)).lines;
const refusal = (line: string): string => {
  try {
    say(session(), line);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('TravelSession', () => {
  it.each([
    ['fly', 'no such command: got "fly", want one that `help` lists'],
    ['re', 'ambiguous command: got "re", want reverse-step, reverse-continue, reload, restart'],
    ['n 0', 'count out of range: got 0'],
    ['p -1', 'bad count: got "-1"'],
    ['s x', 'bad count: got "x"'],
    ['rs 1 2', 'bad arguments of reverse-step: got 1 2, want reverse-step [N]'],
    ['c 1e3', 'bad count: got "1e3"'],
    ['rc 99999999999', 'count out of range'],
    ['finish 1', 'bad arguments of finish'],
    ['goto', 'bad arguments of goto: got none, want goto MOMENT'],
    ['goto nowhere', 'bad moment: got "nowhere"'],
    ['goto 2131', 'no such event'],
    ['goto 1.5s', 'has no times'],
    ['watch', 'bad arguments of watch'],
    ['watch lock 1', 'nothing to watch: got lock 1'],
    ['watch pmd', 'bad pfn: got "pmd"'],
    ['watch pmd 0x7ffffffff', 'no PMD slot for the pfn: got 0x7ffffffff'],
    ['watch pte zz', 'bad pfn: got "zz"'],
    ['watch 0x10000000000000', 'pfn out of range'],
    ['watch mfn 4', 'nothing to watch: got mfn 4'],
    ['watch global none', 'no such global: got "none"'],
    ['break set_everything', 'no such kind of event or operation: got "set_everything"'],
    ['break none', 'no such kind of event or operation: got "none"'],
    ['break toString', 'no such kind of event or operation: got "toString"'],
    ['delete 1', 'no such watch or breakpoint: got 1'],
    ['delete checkpoint 1', 'no such checkpoint: got 1'],
    ['delete 1 2', 'nothing to delete: got 1 2'],
    ['checkpoint 1', 'bad arguments of checkpoint'],
    ['restart 1', 'no such checkpoint: got 1'],
    ['info everything', 'no such topic: got "everything"'],
    ['when now', 'bad arguments of when'],
    ['bt full', 'bad arguments of backtrace'],
    ['list 2131', 'event out of range: got 2131'],
    ['map x', 'bad pfn: got "x"'],
    ['l 1', 'bad arguments of lock'],
    ['x/0 1', 'count out of range: got 0'],
    ['x/8q 1', 'bad format: got x/8q'],
    ['x/99999999 0', 'count out of range'],
    ['print nothing', 'nothing to print: got "nothing"'],
    ['print/x 4', 'only x takes a format: got print/x'],
    ['help fly', 'no such command: got "fly"'],
  ])('refuses `%s`: %s', (line, message) => {
    expect(refusal(line)).toContain(message);
  });

  it('refuses something of every command', () => {
    for (const { name, args } of COMMANDS) {
      const extra = Array.from({ length: args[1] + 1 }, () => 'q').join(' ');
      expect(refusal(`${name} ${extra}`)).toContain(`bad arguments of ${name}`);
    }
  });

  it('has watch page tables only where a kernel has them', () => {
    const header = { ...LOG.header, kernel: '3.16' };
    const tree = new TravelSession(new BatchLog('tree', header, LOG.codec, [LOG.read(0)]));
    expect(() => say(tree, 'watch pte 4')).toThrow('this kernel has no page tables for the list');
  });

  it('stays where it is when it refuses a line, and shows that in the prompt', () => {
    const to = session();
    expect(to.prompt).toBe('(p2m start) ');
    say(to, 'goto 5');
    expect(() => say(to, 'goto x')).toThrow();
    expect(to.prompt).toBe('(p2m 5) ');
  });

  it('repeats moves and what follows by an empty line, but not what marks or deletes', () => {
    const to = session();
    say(to, 's 10');
    expect(say(to, '')).toEqual([expect.stringMatching(/^19 {2}cpu0/)]);
    expect(say(to, 'goto end')).toHaveLength(1);
    expect(say(to, ' ')).toEqual([]);
    expect(say(to, 'x/2 0x402')[0]).toMatch(/^0x402: /);
    expect(say(to, '')[0]).toMatch(/^0x404: /);
    say(to, 'checkpoint');
    say(to, '');
    expect(say(to, 'info checkpoints')).toEqual(['checkpoint 1: 2130']);
  });

  it('takes beginnings of names, short names and counts', () => {
    expect(
      transcript(LOG, ['ste 2', 'rs', 'che', 'i che', 'd che 1', 'i che']).filter((line) => !line.startsWith('(')),
    ).toEqual([
      expect.stringMatching(/^1 /),
      expect.stringMatching(/^taken back: 1 /),
      'checkpoint 1: 0',
      'checkpoint 1: 0',
      'checkpoint 1 deleted',
      'no checkpoints',
    ]);
  });

  it('completes commands, kinds, operations, globals, topics', () => {
    const complete = (line: string): string[] => session().complete(line)[0];
    expect(complete('rev')).toEqual(['reverse-step', 'reverse-continue']);
    expect(complete('b set_p')).toEqual(['set_pmd', 'set_pte', 'set_phys_range_identity', 'set_phys_to_machine']);
    expect(complete('watch g')).toEqual(['global']);
    expect(complete('watch global xen_p2m_s')).toEqual(['xen_p2m_size']);
    expect(complete('info c')).toEqual(['checkpoints']);
    expect(complete('help qu')).toEqual(['quit']);
    expect(complete('goto ')).toEqual(['start', 'end']);
    expect(complete('nonsense x')).toEqual([]);
    expect(complete('print p2m_up')).toEqual(['p2m_update_lock']);
    expect(session().complete('b set_pm')[1]).toBe('set_pm');
  });

  it('says what every command does', () => {
    const help = say(session(), 'help').join('\n');
    for (const { name, does } of COMMANDS) {
      expect(help).toContain(does);
      expect(say(session(), `help ${name}`)[0]).toMatch(new RegExp(`^${name}\\b.*: `));
    }
  });

  it('is over when somebody quits', () => {
    expect(allPieces(session().execute('q')).isOver).toBe(true);
    expect(allPieces(session().execute('n')).isOver).toBe(false);
  });

  it('stops a long move where it is, when told to', () => {
    const to = session();
    const work = to.execute('c');
    work.next(false);
    const { value } = work.next(true);
    expect(value).toEqual({ lines: ['interrupted', expect.any(String)], isOver: false });
    const at = Number(/\d+/.exec(to.prompt.replace('p2m', ''))![0]);
    expect(at).toBeGreaterThan(0);
    expect(at).toBeLessThan(LOG.events - 1);
    expect(say(to, 'c').at(-1)).toBe('end of the log');
  });

  it('travels through a log without events', () => {
    const empty = new BatchLog('empty', LOG.header, LOG.codec, []);
    const seen = transcript(empty, [
      'n',
      'p',
      's',
      'rs',
      'c',
      'rc',
      'list',
      'when',
      'bt',
      'info ops',
      'goto end',
      'm',
      'l',
      'x/2 4',
    ]);
    expect(seen.filter((line) => line.startsWith('(p2m start)'))).toHaveLength(14);
  });

  it('stands before an event that does not fit the memory, and goes on from there', () => {
    const events = [
      { cpu: 0, op: 0, kind: 'lock' as const },
      { cpu: 0, op: 0, kind: 'lock' as const },
    ];
    const { header } = LOG;
    const log = logOfEvents(events);
    const damaged = new BatchLog('damaged', header, log.codec, [log.read(0)]);
    const to = new TravelSession(damaged);
    expect(() => say(to, 'c')).toThrow('event 1 (lock) does not fit');
    expect(to.prompt).toBe('(p2m 0) ');
    expect(say(to, 'l')).toEqual([
      'p2m_update_lock: held by cpu0, taken by event 0 (no operation on cpu0)',
      '  nobody waits',
    ]);
    expect(say(to, 'rs')).toEqual(['taken back: 0  cpu0: lock', 'start of the log']);
  });
});
