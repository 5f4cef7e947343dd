// synced-file.ts: durability as it is written first: each order is a line, appended and synced before its answer.
//
//   --fsync FILE      line ─► write ─► fdatasync ─► answer      one sync for each order, however many wait
//
// Orders that come together are written together, on the four threads that Node has for files, and the file system may let
// one sync of the disk serve several of them. So a crash can leave a gap in the file; one after the other, as a book of
// orders needs it, they were 2.5 times slower.

import { open } from 'node:fs/promises';
import { flag } from './peer-process.js';

/** Appends a line durably to the file that `--fsync` names; undefined where this peer keeps nothing. */
export async function openSyncedFile(): Promise<((line: string) => Promise<void>) | undefined> {
  const path = flag('fsync');
  if (path === '') return undefined;
  const handle = await open(path, 'a');
  return async (line) => {
    await handle.appendFile(line);
    await handle.datasync();
  };
}
