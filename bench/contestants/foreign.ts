import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where packages are that only this bench wants; docs/benchmarks.md says how they get there. */
export const FOREIGN_FOLDER = process.env['P2M_CONTESTANTS'] ?? join(tmpdir(), 'p2m-contestants');

/** A package of that folder. @throws where it is not there */
export function foreign(name: string): unknown {
  return createRequire(join(FOREIGN_FOLDER, 'package.json'))(name);
}

/** Columns of the tables that hold events; `seq` stands before them. */
export const COLUMNS = ['kind', 'cpu', 'op', 'a', 'b', 'c', 'd', 'e'] as const;
