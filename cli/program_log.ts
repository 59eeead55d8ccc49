import type { Logger } from 'pino';
import { stderrLog } from '../node/stderr_log.js';

/** What the program logs with. */
type Log = Pick<Logger, 'debug' | 'info' | 'warn'>;

const nothing = (): void => undefined;
const SILENT: Log = { debug: nothing, info: nothing, warn: nothing };

const { P2M_LOG: level = 'silent' } = process.env;

/**
 * The program's own log: on stderr, at the level in P2M_LOG (silent unless it is set). Never on a hot path. pino is loaded
 * only where it logs: it takes a fifth of the time that the whole program takes to start.
 */
export const log: Log = level === 'silent' ? SILENT : await stderrLog(level);
