import { isatty } from 'node:tty';
import pc from 'picocolors';

const { NO_COLOR, FORCE_COLOR } = process.env;

/**
 * Colours for people: where stdout is a terminal, or FORCE_COLOR is set; never where NO_COLOR is. (picocolors alone would
 * colour a pipe, too, where CI is set.)
 */
export const colors = pc.createColors((NO_COLOR ?? '') === '' && ((FORCE_COLOR ?? '') !== '' || isatty(1)));
