import { pino } from 'pino';

const level = process.env['P2M_LOG'] ?? 'silent';
const isLevel = level === 'silent' || Object.hasOwn(pino.levels.values, level);

/** The program's own log: on stderr, at the level in P2M_LOG (silent unless it is set). Never on a hot path. */
export const log = pino({ name: 'p2m', level: isLevel ? level : 'info' }, pino.destination({ dest: 2, sync: true }));

if (!isLevel)
  log.warn({ got: level, expected: ['silent', ...Object.keys(pino.levels.values)] }, 'P2M_LOG: no such level');
