import { usageError } from '../../events/index.js';

/** A command as somebody typed it: its name, `/8w` behind it, its arguments. */
export interface TypedCommand {
  readonly name: string;
  /** What stands behind a slash: `8w`. */
  readonly format: string;
  readonly args: readonly string[];
}

/** What can be typed: a name, and short ones that need not be a beginning of it. */
export interface Named {
  readonly name: string;
  readonly aliases: readonly string[];
}

/** Takes a line apart. `p` and `p/3` are names with and without a format; a count may stand right behind the name. */
export function typedCommand(line: string): TypedCommand | undefined {
  const [first, ...args] = line.trim().split(/\s+/);
  if (first === undefined || first === '') return undefined;
  const slash = first.indexOf('/');
  if (slash < 0) return { name: first, format: '', args };
  return { name: first.slice(0, slash), format: first.slice(slash + 1), args };
}

/**
 * The command of a name, a short name, or the beginning of a name that is no other's.
 * @throws {P2mError} code `usage`: there is none, or several
 */
export function commandNamed<C extends Named>(commands: readonly C[], name: string): C {
  const exact = commands.find((command) => command.name === name || command.aliases.includes(name));
  if (exact !== undefined) return exact;
  const found = commands.filter((command) => command.name.startsWith(name));
  if (found.length === 1) return found[0]!;
  if (found.length === 0)
    throw usageError('no such command', { got: JSON.stringify(name), expected: 'one that `help` lists' });
  throw usageError('ambiguous command', {
    got: JSON.stringify(name),
    expected: found.map((command) => command.name).join(', '),
  });
}

/** A whole number in decimal or hexadecimal, `least` or more and below `end`. @throws {P2mError} code `usage`, naming `what` */
export function numberOf(text: string, what: string, end: number, least = 0): number {
  if (!/^(0x[0-9a-fA-F]+|[0-9]+)$/.test(text)) {
    throw usageError(`bad ${what}`, { got: JSON.stringify(text), expected: 'hex (0x...) or decimal' });
  }
  const value = Number(text);
  if (value < least || value >= end) {
    throw usageError(`${what} out of range`, {
      got: text,
      expected: `${least} or more, below ${end} (0x${end.toString(16)})`,
    });
  }
  return value;
}
