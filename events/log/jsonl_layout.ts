/**
 * Events as JSON, a line each, for people, pipes and `git diff`:
 *
 *     {"format":"p2m-events","version":1,"geometry":"tiny","kernel":"7.0","entryBits":64}
 *     {"seq":0,"cpu":0,"op":0,"kind":"set_global","global":"p2m_limit","old":0,"new":64}
 *     ...
 *     {"end":true,"events":7}
 *
 * Every line ends in a newline and the last one counts the events, so a text that was cut shows it wherever it was; `seq`
 * counts up by one, so a lost line shows too.
 */

/** What the first line says it is. */
export const JSONL_FORMAT = 'p2m-events';
/** The version of the format. */
export const JSONL_VERSION = 1;
/**
 * Most bytes of a line. It bounds the memory of a reader; an event is longer only where it says what the domain builder
 * left in more than a quarter of a million runs, and that the binary log takes.
 */
export const LINE_BYTES_MAX = 1 << 23;
