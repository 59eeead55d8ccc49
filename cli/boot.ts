import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { ExitCode, Global, inputError, mfnWord, P2mError, usageError } from '../events/index.js';
import {
  bootSequence,
  checkGeometry,
  formByKernel,
  geometryByName,
  NEWEST,
  planEnd,
  SIF_VIRT_P2M_4TOOLS,
  type BootPlan,
  type BootStep,
} from '../src/index.js';
import { colors } from './colors.js';
import { readText } from './input.js';
import { hex, parseNumber, parseRange } from './numbers.js';
import { note, print } from './output.js';
import { Session, type Reply } from './session.js';
import { runCommand, verbLines, VERBS } from './verbs.js';

interface BootOptions {
  readonly nrPages: string;
  readonly geometry: string;
  readonly kernel: string;
  readonly memory: string;
  readonly identity: readonly string[];
  readonly extra: readonly string[];
  readonly hole: readonly string[];
  readonly firstMfn: string;
  readonly limitGb: string;
  readonly m2p: string;
  readonly virtP2m?: boolean;
  readonly steps?: boolean;
  readonly events?: boolean;
  readonly json?: boolean;
}

/** The concurrency vectors' own: the frame of pfn p is 1000 + p. */
const FIRST_MFN = '1000';

/** `p2m boot`: a domain under your hands. */
export function addBoot(program: Command): void {
  const more = (value: string, before: readonly string[]): readonly string[] => [...before, value];
  program
    .command('boot')
    .description('boot the p2m of a domain and run operations on it by hand')
    .argument(
      '[operation...]',
      "operations, one an argument ('set 0x402 m:77'); from stdin where there is none, or for -",
    )
    .requiredOption('--nr-pages <n>', 'pages that the domain starts with')
    .option('--geometry <name>', 'x86_64, x86_32 (PAE), tiny or tiny-pae', 'x86_64')
    .option('--kernel <version>', 'kernel form: 3.16, 3.18, v3, 7of8, 3.19-rc1, 3.19 ... or any version', NEWEST.name)
    .option('--identity <A-B>', 'pfns that E820 does not call RAM (again and again)', more, [])
    .option('--extra <A-B>', 'RAM that is not populated at start', more, [])
    .option('--hole <A-B>', 'pfns that the domain builder left without a frame', more, [])
    .option('--first-mfn <n>', 'frame of pfn 0; pfn p has the p-th after it', FIRST_MFN)
    .option('--limit-gb <n>', 'P2M_LIMIT in GiB (forms from 3.19.8 on)', '0')
    .option('--m2p <n>', 'machine_to_phys_nr: frames that the m2p knows', '0')
    .option('--virt-p2m', 'the tools read the list itself: SIF_VIRT_P2M_4TOOLS (4.3 and later)')
    .option('--memory <kind>', 'paged or flat', 'paged')
    .option('--steps', 'show each step as it happens')
    .option('--events', 'show each event as it happens')
    .option('--json', 'a JSON object a line')
    .addHelpText(
      'after',
      `
Values: ~ (INVALID), m:N (frame), i:N (identity), f:N (foreign), fi:N. Pfns in hex or decimal, ranges half-open.

Operations:
${verbLines().join('\n')}

Exit: 0 ok, 1 a kernel assertion or a fault was hit, 2 usage, 3 bad input.

Example:
  p2m boot --nr-pages 2049 --kernel 7.0 'lookup 0x800' 'set 0x402 m:77' 'lookup 0x402'`,
    )
    .action(async (operations: string[], options: BootOptions) => {
      process.exitCode = await run(operations, options);
    });
}

async function run(operations: readonly string[], options: BootOptions): Promise<number> {
  const { session, steps } = boot(options);
  const show = options.json === true ? showJson : showText;
  let violated = false;
  for (const { name, outcome } of steps) {
    const reply = session.reply(outcome, (value) => value);
    violated ||= reply.violated === true;
    if (reply.violated === true) show(name, reply, []);
  }
  if (!violated && options.json !== true) print(summary(session));
  const act = (line: string): void => {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) return;
    const reply = runCommand(session, text);
    session.domain.flush();
    violated ||= reply.violated === true;
    show(text, reply, session.takeShown());
  };
  if (operations.length > 0 && operations.join() !== '-') fromArguments(operations, act);
  else if (process.stdin.isTTY) await converse(act);
  else fromStdin(act);
  return violated ? ExitCode.violated : ExitCode.ok;
}

function boot(options: BootOptions): { session: Session; steps: BootStep[] } {
  const geometry = geometryByName(options.geometry);
  const form = formByKernel(options.kernel);
  checkGeometry(form, geometry);
  const { memory } = options;
  if (memory !== 'paged' && memory !== 'flat') {
    throw usageError('unknown memory', { got: JSON.stringify(memory), expected: 'paged or flat' });
  }
  const nrPages = parseNumber(options.nrPages, 'number of pages', 2 ** 52);
  if (nrPages === 0 || nrPages > geometry.nrPagesMax) {
    throw usageError('bad number of pages', {
      got: String(nrPages),
      expected: `1 to ${geometry.nrPagesMax} on ${geometry.name}`,
    });
  }
  const range = (what: string) => (text: string) => parseRange(text, what, 2 ** 30);
  const plan: BootPlan = {
    nrPages,
    firstEntry: mfnWord(parseNumber(options.firstMfn, 'first mfn', 2 ** 30 - nrPages)),
    identity: options.identity.map(range('identity range')),
    extra: options.extra.map(range('extra memory')),
    holes: options.hole.map(range('hole')),
    startFlags: options.virtP2m === true ? SIF_VIRT_P2M_4TOOLS : 0,
  };
  const session = new Session(
    {
      form,
      geometry,
      memory,
      nrPages,
      maxPfn: planEnd(plan),
      p2mLimitPfns: parseNumber(options.limitGb, 'limit', 2048) * geometry.pfnsPerGib,
      m2pFrames: parseNumber(options.m2p, 'm2p size', 2 ** 28),
    },
    options.steps === true,
    options.events === true,
  );
  const { domain } = session;
  const steps = bootSequence(domain, plan);
  domain.flush();
  return { session, steps };
}

function summary({ domain }: Session): string {
  const word = (global: number): string => hex(domain.global(global));
  const { form, geometry, memory } = domain;
  return (
    `booted: kernel ${form.name}, ${geometry.name}, ${memory.kind} memory, nr_pages ${word(Global['start_info.nr_pages'])}, ` +
    `${form.structure === 'tree' ? 'xen_max_p2m_pfn' : 'xen_p2m_size'} ` +
    `${word(form.structure === 'tree' ? Global.xen_max_p2m_pfn : Global.xen_p2m_size)}, max_pfn ${word(Global['shared_info.max_pfn'])}`
  );
}

function showText(line: string, reply: Reply, shown: readonly string[]): void {
  for (const text of shown) print(text);
  print(`${line} -> ${reply.text ?? String(reply.result)}`);
  for (const text of reply.lines ?? []) print(text);
}

function showJson(line: string, reply: Reply, shown: readonly string[]): void {
  print(JSON.stringify({ operation: line, result: reply.result, ...(shown.length > 0 ? { shown } : {}) }));
}

/** Operations from a pipe or a file: the first bad one ends it. */
function fromStdin(act: (line: string) => void): void {
  for (const [index, text] of readText('-').split('\n').entries()) {
    try {
      act(text);
    } catch (error) {
      if (!(error instanceof P2mError)) throw error;
      throw inputError(error.message, { file: '<stdin>', line: index + 1, text });
    }
  }
}

/** Operations from the command line: the first bad one ends it. */
function fromArguments(operations: readonly string[], act: (line: string) => void): void {
  for (const text of operations) {
    try {
      act(text);
    } catch (error) {
      if (!(error instanceof P2mError)) throw error;
      throw usageError(error.message, { text });
    }
  }
}

/** Operations from a person: a bad one is told, and the next asked for. Ctrl-C ends it, in the middle of one too. */
async function converse(act: (line: string) => void): Promise<void> {
  const { stdin, stderr } = process;
  const lines = createInterface({ input: stdin, output: stderr, prompt: 'p2m> ', completer });
  lines.on('SIGINT', () => {
    note('');
    process.exit(ExitCode.interrupted);
  });
  note(colors.dim('help lists the operations; quit or Ctrl-D ends'));
  lines.prompt();
  let quit = false;
  for await (const line of lines) {
    quit = /^\s*(quit|exit)\s*$/.test(line);
    if (quit) break;
    // Nobody reads keys while an operation runs: Ctrl-C must be the signal then.
    stdin.setRawMode(false);
    try {
      act(line);
    } catch (error) {
      if (!(error instanceof P2mError)) throw error;
      note(`error: ${error.message}`);
    }
    stdin.setRawMode(lines.terminal);
    lines.prompt();
  }
  // Ctrl-D leaves the cursor behind the prompt.
  if (!quit) note('');
  lines.close();
}

function completer(line: string): [string[], string] {
  const names = Object.keys(VERBS).filter((name) => name.startsWith(line));
  return [names.map((name) => `${name} `), line];
}
