import { History, Random, type OperationName, type Scalar } from '../../../replay/index.js';

/** What random histories are made of. */
export interface Mix {
  readonly operations: number;
  readonly processes: number;
  readonly keys: number;
  /** Written values are below it; 0: each is written once. */
  readonly values: number;
  /** Of a hundred operations so many are: a cas; one that nobody knows the end of; one that failed; a read of anything. */
  readonly cas: number;
  readonly pending: number;
  readonly failed: number;
  readonly wrong: number;
}

interface Running {
  readonly operation: number;
  readonly f: OperationName;
  readonly key: number;
  readonly value: Scalar;
  readonly expected: Scalar;
  /** What it found, when it took effect; undefined before. */
  found: Scalar | undefined;
  takesEffect: boolean;
}

/** A history of processes that work on real registers at the same time; what is `wrong` in it may have no order. */
export function randomHistory(seed: number, mix: Mix): History {
  const random = new Random(seed);
  const history = new History();
  const registers = new Array<Scalar>(mix.keys).fill(null);
  const running = new Array<Running | undefined>(mix.processes).fill(undefined);
  const names = running.map((_, process) => process);
  let unique = 0;
  const percent = (share: number): boolean => random.below(100) < share;
  const anyValue = (): number => (mix.values === 0 ? ++unique : random.below(mix.values));
  const begin = (process: number): Running => {
    const key = random.below(mix.keys);
    const f = percent(mix.cas) ? 'cas' : percent(50) ? 'read' : 'write';
    const value = f === 'read' ? null : anyValue();
    const expected =
      f !== 'cas' ? null : percent(70) ? registers[key]! : random.below(1 + Math.max(unique, mix.values));
    const operation = history.invoke({ process: names[process]!, f, key, value, expected });
    return { operation, f, key, value, expected, found: undefined, takesEffect: !percent(mix.failed) };
  };
  const takeEffect = (it: Running): void => {
    it.found = percent(mix.wrong) ? random.below(1 + Math.max(unique, mix.values)) : registers[it.key]!;
    if (it.f === 'cas' && it.found !== it.expected && !percent(mix.wrong)) it.takesEffect = false;
    if (it.takesEffect && it.f !== 'read') registers[it.key] = it.value;
  };
  const end = (it: Running, process: number): void => {
    if (percent(mix.pending)) {
      // Who waits for ever is never heard of again.
      if (percent(50)) history.complete(it.operation, 'info');
      else names[process]! += mix.processes;
    } else if (!it.takesEffect) history.complete(it.operation, 'fail');
    else history.complete(it.operation, 'ok', {}, it.f === 'read' ? it.found! : undefined);
  };
  while (history.count < mix.operations || running.some((it) => it !== undefined)) {
    const process = random.below(mix.processes);
    const it = running[process];
    if (it === undefined) {
      if (history.count < mix.operations) running[process] = begin(process);
    } else if (it.found === undefined) takeEffect(it);
    else {
      end(it, process);
      running[process] = undefined;
    }
  }
  return history;
}
