// simulated-omissions.ts: a file system that says yes and does nothing, in one respect. For proving that a simulation would
// notice: whatever makes a promise true is taken away, and some seed must find the promise broken.

import type { FileSystem, OpenFile } from '../../src/storage/index.js';

/** The call that is not made. `rewrite`: a write of nothing but bytes that the file has already. */
export type Omission = 'datasync' | 'sync' | 'syncDirectory' | 'truncate' | 'rewrite';

const nothing = () => Promise.resolve();

/** The same calls, in an object that can be spread. */
export function bound(fileSystem: FileSystem): FileSystem {
  return {
    open: (path, mode) => fileSystem.open(path, mode),
    stat: (path) => fileSystem.stat(path),
    followLinks: (path) => fileSystem.followLinks(path),
    link: (path, name) => fileSystem.link(path, name),
    symlink: (target, name) => fileSystem.symlink(target, name),
    rename: (from, to) => fileSystem.rename(from, to),
    renameOver: (from, to, identity) => fileSystem.renameOver(from, to, identity),
    remove: (path) => fileSystem.remove(path),
    createDirectory: (path) => fileSystem.createDirectory(path),
    syncDirectory: (path) => fileSystem.syncDirectory(path),
  };
}

export function without(omission: Omission, fileSystem: FileSystem): FileSystem {
  return {
    ...bound(fileSystem),
    syncDirectory: omission === 'syncDirectory' ? nothing : (path) => fileSystem.syncDirectory(path),
    async open(path, mode) {
      const file = await fileSystem.open(path, mode);
      return file === undefined ? undefined : fileWithout(omission, file);
    },
  };
}

function fileWithout(omission: Omission, file: OpenFile): OpenFile {
  return {
    size: () => file.size(),
    identity: () => file.identity(),
    read: (target, position) => file.read(target, position),
    async write(bytes, position) {
      if (omission === 'rewrite' && position + bytes.length <= (await file.size())) return bytes.length;
      return file.write(bytes, position);
    },
    truncate: omission === 'truncate' ? nothing : (size) => file.truncate(size),
    datasync: omission === 'datasync' ? nothing : () => file.datasync(),
    sync: omission === 'sync' ? nothing : () => file.sync(),
    close: () => file.close(),
  };
}
