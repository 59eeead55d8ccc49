import type { Logger } from 'pino';

/** What the program logs with. */
type Log = Pick<Logger, 'debug' | 'info' | 'warn'>;

const nothing = (): void => undefined;
const SILENT: Log = { debug: nothing, info: nothing, warn: nothing };

const { P2M_LOG: level = 'silent' } = process.env;

/** The program's own log: on stderr, at the level in P2M_LOG (silent unless it is set). Never on a hot path. */
export const log: Log = level === 'silent' ? SILENT : await openLog(level);

/** Loads pino, which takes a fifth of the time that the whole program takes to start. */
async function openLog(wanted: string): Promise<Log> {
  const { pino } = await import('pino');
  const levels = Object.keys(pino.levels.values);
  const isLevel = levels.includes(wanted);
  const opened = pino({ name: 'p2m', level: isLevel ? wanted : 'info' }, pino.destination({ dest: 2, sync: true }));
  if (!isLevel) opened.warn({ got: wanted, expected: ['silent', ...levels] }, 'P2M_LOG: no such level');
  return opened;
}
