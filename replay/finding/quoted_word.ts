/** A word for the shell: as it is where that is safe, else in quotes. */
export function quoted(word: string): string {
  if (/^-./.test(word)) return quoted(`./${word}`);
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
