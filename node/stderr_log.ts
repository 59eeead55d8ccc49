import type { Logger } from 'pino';

/**
 * A pino logger on stderr: stdout is for data. About 10 us a line, so never on a hot path. pino is loaded by the first call.
 *
 * @param level of pino, such as `info`; default what P2M_LOG says, or `silent`. A level that pino has not is `info`, with a warning.
 */
export async function stderrLog(level = process.env.P2M_LOG ?? 'silent'): Promise<Logger> {
  const { pino } = await import('pino');
  const levels = ['silent', ...Object.keys(pino.levels.values)];
  const isLevel = levels.includes(level);
  const log = pino({ name: 'p2m', level: isLevel ? level : 'info' }, pino.destination({ dest: 2, sync: true }));
  if (!isLevel) log.warn({ got: level, expected: levels }, 'P2M_LOG: no such level');
  return log;
}
