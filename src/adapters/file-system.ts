/**
 * Which kind of file system a folder is on (A17): network ones and folders that something synchronises lose locks, exchanges and the
 * memory that SQLite shares between processes. Reads the kernel's own number for it; never writes.
 */
import { existsSync, realpathSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type FileSystem = {
  /** A word for people: `NFS`, `SMB`, `Dropbox`… */
  readonly name: string;
  /** `remote`: on another machine. `bridge`: through a program or another system. `synced`: copied elsewhere behind our back. */
  readonly kind: 'remote' | 'bridge' | 'synced';
};

/** From statfs(2) and linux/magic.h. */
const TYPES: ReadonlyMap<number, FileSystem> = new Map<number, FileSystem>([
  [0x6969, { name: 'NFS', kind: 'remote' }],
  [0x517b, { name: 'SMB', kind: 'remote' }],
  [0xfe534d42, { name: 'SMB', kind: 'remote' }],
  [0xff534d42, { name: 'CIFS', kind: 'remote' }],
  [0x5346414f, { name: 'AFS', kind: 'remote' }],
  [0x6b414653, { name: 'AFS', kind: 'remote' }],
  [0x73757245, { name: 'Coda', kind: 'remote' }],
  [0x00c36400, { name: 'Ceph', kind: 'remote' }],
  [0x0bd00bd0, { name: 'Lustre', kind: 'remote' }],
  [0x47504653, { name: 'GPFS', kind: 'remote' }],
  [0x01161970, { name: 'GFS2', kind: 'remote' }],
  [0x7461636f, { name: 'OCFS2', kind: 'remote' }],
  [0x01021997, { name: '9p', kind: 'bridge' }],
  [0x65735546, { name: 'FUSE', kind: 'bridge' }],
  [0x786f4256, { name: 'a shared folder of VirtualBox', kind: 'bridge' }],
  [0xbacbacbc, { name: 'a shared folder of VMware', kind: 'bridge' }],
]);

/** What synchronising programs leave at the top of their folder, or are called. */
const SYNCED: readonly (readonly [string, string])[] = [
  ['.dropbox', 'Dropbox'],
  ['.dropbox.cache', 'Dropbox'],
  ['.stfolder', 'Syncthing'],
  ['.nextcloudsync.log', 'Nextcloud'],
  ['.owncloudsync.log', 'ownCloud'],
  ['.tmp.drivedownload', 'Google Drive'],
];
const SYNCED_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^Dropbox( \(.+\))?$/, 'Dropbox'],
  [/^OneDrive( - .+)?$/, 'OneDrive'],
  [/^(com~apple~CloudDocs|Mobile Documents)$/, 'iCloud'],
  [/^(Google Drive|GoogleDrive-.+)$/, 'Google Drive'],
];

/** Undefined for a local disk, or where the kernel does not say. */
export function fileSystemOf(path: string, typeOf: (path: string) => number | undefined = kernelType): FileSystem | undefined {
  const real = realOf(path);
  // Signed on some systems.
  const type = typeOf(real);
  const known = type === undefined ? undefined : TYPES.get(type >>> 0);
  return known ?? syncedBy(real);
}

function kernelType(path: string): number | undefined {
  // The numbers are Linux's.
  if (process.platform !== 'linux') return undefined;
  try {
    return Number(BigInt.asUintN(32, statfsSync(path, { bigint: true }).type));
  } catch {
    return undefined;
  }
}

function syncedBy(real: string): FileSystem | undefined {
  for (let folder = real; ; folder = dirname(folder)) {
    const name = folder.slice(folder.lastIndexOf('/') + 1);
    const found = SYNCED.find(([trace]) => existsSync(join(folder, trace)))?.[1] ?? SYNCED_NAMES.find(([pattern]) => pattern.test(name))?.[1];
    if (found !== undefined) return { name: found, kind: 'synced' };
    if (dirname(folder) === folder) return undefined;
  }
}

/** The nearest folder that is there. */
function realOf(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    try {
      return realpathSync(at);
    } catch {
      if (dirname(at) === at) return at;
    }
  }
}
