import { pino } from 'pino';

/** The program's own log: on stderr, at the level in P2M_LOG (silent unless it is set). Never on a hot path. */
export const log = pino(
  { name: 'p2m', level: process.env['P2M_LOG'] ?? 'silent' },
  pino.destination({ dest: 2, sync: true }),
);
