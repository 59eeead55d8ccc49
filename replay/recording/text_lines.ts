import { inputError } from '../../events/index.js';

/**
 * The lines of a small text file; line 1 is element 0, and an empty last one is left out.
 *
 * @throws {P2mError} the bytes are not UTF-8 text
 */
export function textLines(bytes: Uint8Array, file: string): string[] {
  const text = decodeText(bytes, file);
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** The bytes as UTF-8. @throws {P2mError} they are not, or hold a NUL */
export function decodeText(bytes: Uint8Array, file: string): string {
  const nul = bytes.indexOf(0);
  if (nul >= 0) throw inputError('binary data', { file, byte: nul, got: 'byte 0x00', expected: 'text' });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw inputError('binary data', { file, got: 'bytes that are not UTF-8', expected: 'text' });
  }
}
