/**
 * Work in pieces: it yields after each, and is told whether to stop there. Whoever runs it decides what happens in
 * between: a terminal looks whether somebody has pressed Ctrl-C.
 */
export type Pieces<T> = Generator<void, T, boolean>;

/** All of it at once, without a stop. */
export function allPieces<T>(work: Pieces<T>): T {
  for (;;) {
    const step = work.next(false);
    if (step.done === true) return step.value;
  }
}
