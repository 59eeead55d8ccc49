import type { Command } from 'commander';
import { usageError } from '../events/index.js';
import { armamentOf, isQuotable, recordScript, TRACE_CLOCKS } from '../replay/recording/record_script.js';
import { formByKernel, NEWEST } from '../src/index.js';
import { parseNumber } from './numbers.js';
import { note, print } from './output.js';

interface RecordScriptOptions {
  readonly kernel: string;
  readonly lookUps?: boolean;
  readonly pageTables?: boolean;
  readonly bufferKib: string;
  readonly clock: string;
  readonly json?: boolean;
}

/** The kernel counts the buffer's bytes in 64 bits; a TiB a CPU is nobody's. */
const BUFFER_KIB_END = 2 ** 30;

/** `p2m record-script`: how to record a domain of one's own. */
export function addRecordScript(program: Command): void {
  program
    .command('record-script')
    .description('print the shell script that records a real Xen PV domain for replay')
    .option('--kernel <version>', 'kernel of the domain (uname -r)', NEWEST.name)
    .option('--look-ups', 'record look-ups (get_phys_to_machine), too: the default from 3.19 on, where they are few')
    .option('--no-look-ups', 'leave them out')
    .option('--page-tables', 'record page-table updates (xen_mmu_* tracepoints), too')
    .option('--buffer-kib <n>', 'ring buffer of each CPU in KiB; an event takes about 35 bytes', '16384')
    .option('--clock <name>', `trace clock: ${TRACE_CLOCKS.join(', ')}`, TRACE_CLOCKS[0])
    .option('--json', 'the probes as one JSON object instead of the script')
    .addHelpText(
      'after',
      `
The script is POSIX sh (busybox does), for x86-64. As root in the domain, sh record.sh FOLDER [COMMAND...] arms the
probes, runs COMMAND or waits for Enter, disarms, and saves a recording. The clock "counter" orders the events of all
CPUs; the others tell times, but many events get the same.
Exit: 0 ok, 2 usage.

Example:
  p2m record-script --kernel 6.1 > record.sh`,
    )
    .action((options: RecordScriptOptions) => {
      run(options);
    });
}

function run(options: RecordScriptOptions): void {
  const { kernel, clock } = options;
  if (!TRACE_CLOCKS.includes(clock)) {
    throw usageError('unknown clock', { got: JSON.stringify(clock), expected: TRACE_CLOCKS.join(', ') });
  }
  const form = formByKernel(kernel);
  if (!isQuotable(kernel)) {
    throw usageError('bad kernel version', { got: JSON.stringify(kernel), expected: 'what uname -r prints' });
  }
  const bufferKib = parseNumber(options.bufferKib, 'buffer size', BUFFER_KIB_END);
  if (bufferKib === 0) throw usageError('no buffer', { got: options.bufferKib, expected: '1 or more KiB' });
  const plan = {
    kernel,
    form,
    lookUps: options.lookUps ?? form.structure === 'linear',
    pageTables: options.pageTables === true,
    bufferKib,
    clock,
  };
  if (options.json === true) {
    print(
      JSON.stringify({ kernel, form: form.name, geometry: 'x86_64', clock, bufferKib, ...armamentOf(plan) }, null, 2),
    );
  } else print(recordScript(plan).trimEnd());
  if (form.structure !== 'linear') {
    note(`note: Linux ${kernel} keeps the list as a tree; its recording can be read, but replay needs 3.19 or later`);
  }
}
