import { usageError, type StoredLog } from '../../events/index.js';
import type { LogIndex } from '../audit/index/log_index.js';
import type { MemoryKind } from '../events/guarded_memory.js';
import { commandNamed, typedCommand, type Named, type TypedCommand } from './command_line.js';
import { COMMANDS, type Command } from './commands.js';
import type { Pieces } from './pieces.js';
import { Travel } from './travel.js';

/** What a line came to. */
export interface TravelReply {
  readonly lines: readonly string[];
  /** Somebody wants to go. */
  readonly isOver: boolean;
}

const HELP = { name: 'help', aliases: ['h', '?'] } as const;
const QUIT = { name: 'quit', aliases: ['q', 'exit'] } as const;
const ALL: readonly (Command | Named)[] = [...COMMANDS, HELP, QUIT];

/** A journey through a log by lines of text, without any terminal: commands in, lines out. */
export class TravelSession {
  readonly #travel: Travel;
  /** The line that an empty one repeats. */
  #again = '';

  /** @throws {P2mError} as `Timeline` */
  constructor(log: StoredLog, kind?: MemoryKind, index?: LogIndex) {
    this.#travel = new Travel(log, kind, index);
  }

  /** `(p2m 4711) `: the last event that has happened. */
  get prompt(): string {
    return `(p2m ${this.#travel.place}) `;
  }

  /** What is said first. */
  get greeting(): string {
    const { log } = this.#travel;
    const { kernel, geometry } = log.header;
    return `${log.name}: ${log.events} events, Linux form ${kernel}, ${geometry}. \`help\` lists the commands.`;
  }

  /**
   * Does what a line says, in pieces: whoever runs them can stop it in between, and it says where it got to. An empty line
   * repeats the last command, where that makes sense.
   * @throws {P2mError} code `usage`: what the line says is nothing; `bad-input`: the log is damaged on the way
   */
  *execute(line: string): Pieces<TravelReply> {
    const typed = typedCommand(line === '' || line.trim() === '' ? this.#again : line);
    if (typed === undefined) return { lines: [], isOver: false };
    this.#again = '';
    const command = commandNamed(ALL, typed.name);
    if (command === QUIT) return { lines: [], isOver: true };
    if (command === HELP) return { lines: helpLines(typed.args[0]), isOver: false };
    return { lines: yield* this.#run(command as Command, typed), isOver: false };
  }

  /** Ways to go on with a line, for its last word; and that word. As readline asks. */
  complete(line: string): [candidates: string[], word: string] {
    const words = line.trimStart().split(/\s+/);
    const word = words.pop() ?? '';
    return [this.#candidates(words).filter((candidate) => candidate.startsWith(word)), word];
  }

  *#run(command: Command, typed: TypedCommand): Pieces<readonly string[]> {
    const { name, usage, args, repeats } = command;
    if (typed.args.length < args[0] || typed.args.length > args[1]) {
      throw usageError(`bad arguments of ${name}`, {
        got: typed.args.join(' ') || 'none',
        expected: `${name} ${usage}`.trimEnd(),
      });
    }
    const done = command.run(this.#travel, typed);
    const lines = Array.isArray(done) ? done : yield* done;
    // The next pfns follow those that were shown.
    if (repeats) this.#again = name === 'x' ? `x/${typed.format}` : [typed.name, ...typed.args].join(' ');
    return lines;
  }

  #candidates([name, ...words]: readonly string[]): readonly string[] {
    if (name === undefined) return ALL.map((command) => command.name);
    try {
      const command = commandNamed(ALL, name.split('/')[0]!);
      if (command === HELP) return words.length === 0 ? ALL.map((other) => other.name) : [];
      return (command as Command).completions?.(words) ?? [];
    } catch {
      // No command: nothing to go on with.
      return [];
    }
  }
}

function helpLines(name: string | undefined): string[] {
  if (name !== undefined) {
    const command = commandNamed(ALL, name);
    if (!('does' in command))
      return [`${command.name}: ${command === HELP ? 'the commands, or one of them' : 'the end'}`];
    const short = command.aliases.length === 0 ? '' : ` (${command.aliases.join(', ')})`;
    return [`${`${command.name} ${command.usage}`.trimEnd()}${short}: ${command.does}`];
  }
  const shown = COMMANDS.map(
    ({ name: full, aliases, usage, does }) => [[full, ...aliases].join(', '), usage, does] as const,
  );
  const lines = shown.map(([names, usage, does]) => `${`${names} ${usage}`.trimEnd().padEnd(42)} ${does}`);
  return [
    ...lines,
    `${'help [COMMAND], quit'.padEnd(42)} Ctrl-D too; Ctrl-C stops a long move where it is`,
    'Beginnings of names do where only one has them; an empty line repeats.',
  ];
}
