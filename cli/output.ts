import { writeSync } from 'node:fs';
import { inputError } from '../events/index.js';

/** Data goes to stdout in one piece a call, in order; nothing is lost when the process exits right after. */
export function print(text: string): void {
  writeAll(1, Buffer.from(`${text}\n`));
}

/** Data as bytes, as they are. */
export function printBytes(bytes: Uint8Array): void {
  writeAll(1, bytes);
}

/** What people need to know beside the data: errors, notes. */
export function note(text: string): void {
  writeAll(2, Buffer.from(`${text}\n`));
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') continue;
      // Whoever read us has gone (`p2m ... | head`): there is nobody left to tell.
      if (code === 'EPIPE') process.exit(process.exitCode ?? 0);
      throw inputError('cannot write', { file: fd === 1 ? 'stdout' : 'stderr', got: (error as Error).message });
    }
  }
}
