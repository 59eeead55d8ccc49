import type { Patience } from '../src/library.js';

/** Waits so many ms, by Node's timers: what bounds an engine's waits for its log. */
export function patience(ms: number): Patience {
  return (late) => {
    const timer = setTimeout(late, ms);
    return () => clearTimeout(timer);
  };
}
