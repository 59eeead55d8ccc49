/** Appends to the log in a folder, with a sync each, and acknowledges each on stdout, until it is killed: `FOLDER SEED`. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { EntryCodec, LogStore } from '../events/index.js';
import { LockFile } from '../node/lock_file.js';
import { FolderStorage } from '../node/log_storage.js';
import { eventsOf, RUN_HEADER } from '../test/events/log/crash_run.js';
import { seeded } from '../test/events/log/faulty_disk.js';

const [folder, seed] = process.argv.slice(2) as [string, string];
const chance = seeded(Number(seed));
const storage = new FolderStorage(folder, true);
LockFile.take(join(folder, 'lock'));
const codec = new EntryCodec(64);
const store = await LogStore.open(storage, RUN_HEADER, codec, { segmentBytes: 20_000 });
for (;;) {
  const start = store.events;
  await store.append(eventsOf(codec, start, start + 1 + Math.floor(chance() ** 4 * 300)), start);
  writeSync(1, `${store.events}\n`);
}
