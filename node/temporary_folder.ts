import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Asked to end by a signal. */
export class Interrupted extends Error {
  /** What a shell says of a process that the signal ends. */
  readonly exitCode: number;

  constructor(name: keyof typeof SIGNALS) {
    super(`interrupted by ${name}`);
    this.exitCode = SIGNALS[name];
  }
}

/**
 * A folder that is gone at the end, also where a signal asks for the end: `signal` is aborted then, with an `Interrupted`, and
 * whoever works there stops and calls `remove`. Whatever else happens, it goes with the process.
 */
export class TemporaryFolder {
  readonly path: string;
  readonly #stop = new AbortController();
  readonly #handlers = Object.keys(SIGNALS).map((key) => {
    const name = key as keyof typeof SIGNALS;
    return [name, () => this.#stop.abort(new Interrupted(name))] as const;
  });

  /** @param what what works there, for the folder's name: `bench` is `/tmp/p2m-bench-...` */
  constructor(what: string) {
    this.path = mkdtempSync(join(tmpdir(), `p2m-${what}-`));
    for (const [name, handler] of this.#handlers) process.on(name, handler);
    process.on('exit', this.#wipe);
  }

  /** Aborted when the end is asked for. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Removes the folder and all in it; signals end the process again. */
  remove(): void {
    for (const [name, handler] of this.#handlers) process.off(name, handler);
    process.off('exit', this.#wipe);
    this.#wipe();
  }

  readonly #wipe = (): void => {
    rmSync(this.path, { recursive: true, force: true });
  };
}
