/**
 * A file system in memory that keeps apart what programs see and what is on the platter. A killed program leaves what was seen;
 * a power cut leaves what was synced, and of the rest any part: data not, half or as zeros, changes of names in order or out
 * of it as far as they do not depend on each other. Numbers of files are used again, times have ticks of 4 ms.
 */
import { dirname } from 'node:path';
import type { FileFacts } from '../../src/adapters/disk.ts';

/** Who does something: what an editor has not synced is its own affair. */
export type Who = 'todone' | 'editor';

export type Inode = {
  readonly number: number;
  readonly kind: 'file' | 'folder';
  bytes: Buffer;
  /** On the platter. */
  sure: Buffer;
  /** What the file was after each change that is not on the platter yet, in order. */
  pending: { readonly bytes: Buffer; readonly who: Who }[];
  modifiedNs: bigint;
  changedNs: bigint;
  mode: number;
  links: number;
  writers: number;
  opens: number;
  /** Who took its last name away. */
  droppedBy?: Who;
};

/** A change of names that is done as one. `breaks` = the list is away or half made after it, by a program that saves so. */
type NameChange = { readonly names: ReadonlyMap<string, Inode | undefined>; readonly who: Who; readonly breaks: boolean };

const TICK_NS = 4_000_000n;

export type SimulatedDisk = ReturnType<typeof simulatedDisk>;

export function simulatedDisk(now: () => number, random: () => number, folders: readonly string[]) {
  const names = new Map<string, Inode>();
  let sureNames = new Map<string, Inode>();
  let pending: NameChange[] = [];
  let free: number[] = [];
  let count = 10;

  const timeNs = (): bigint => ((BigInt(Math.floor(now() * 1000)) * 1000n) / TICK_NS) * TICK_NS;
  const make = (kind: Inode['kind'], mode: number): Inode => {
    const at = timeNs();
    const empty = Buffer.alloc(0);
    return {
      number: free.pop() ?? ++count,
      kind,
      bytes: empty,
      sure: empty,
      pending: [],
      modifiedNs: at,
      changedNs: at,
      mode,
      links: 1,
      writers: 0,
      opens: 0,
    };
  };
  const at = (path: string): Inode => names.get(path) ?? fail('ENOENT', path);
  const changeNames = (who: Who, changes: readonly (readonly [string, Inode | undefined])[], breaks = false): void => {
    for (const [path, inode] of changes) {
      if (inode) names.set(path, inode);
      else names.delete(path);
    }
    pending.push({ names: new Map(changes), who, breaks });
  };
  const unlinked = (inode: Inode | undefined, who: Who): void => {
    if (!inode) return;
    inode.droppedBy = who;
    inode.links--;
    inode.changedNs = timeNs();
    reuse(inode);
  };
  const reuse = (inode: Inode): void => {
    if (inode.links === 0 && inode.opens === 0 && !free.includes(inode.number)) free.push(inode.number);
  };
  const changed = (inode: Inode, bytes: Buffer, who: Who): void => {
    inode.bytes = bytes;
    inode.modifiedNs = timeNs();
    inode.changedNs = inode.modifiedNs;
    inode.pending.push({ bytes, who });
  };

  for (const folder of folders) {
    const inode = make('folder', 0o755);
    names.set(folder, inode);
    sureNames.set(folder, inode);
  }

  return {
    at,
    find: (path: string): Inode | undefined => names.get(path),
    namesIn: (folder: string): string[] => {
      at(folder);
      return [...names.keys()].filter((path) => dirname(path) === folder && path !== folder).map((path) => path.slice(folder.length + 1));
    },
    factsOf: (inode: Inode): FileFacts => ({
      kind: inode.kind,
      inode: `1:${inode.number}`,
      size: inode.bytes.length,
      modifiedNs: inode.modifiedNs,
      changedNs: inode.changedNs,
      mode: inode.mode,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      links: inode.links,
    }),

    create(path: string, who: Who, kind: Inode['kind'] = 'file'): Inode {
      if (names.has(path)) fail('EEXIST', path);
      at(dirname(path));
      const inode = make(kind, kind === 'file' ? 0o644 : 0o700);
      changeNames(who, [[path, inode]], who === 'editor');
      return inode;
    },
    opened(inode: Inode, writes: boolean): void {
      inode.opens++;
      if (writes) inode.writers++;
    },
    closed(inode: Inode, writes: boolean): void {
      inode.opens--;
      if (writes) inode.writers--;
      reuse(inode);
    },
    write: changed,
    sync(inode: Inode): void {
      inode.sure = inode.bytes;
      inode.pending = [];
    },
    rename(from: string, to: string, who: Who, breaks = false): void {
      const inode = at(from);
      const over = names.get(to);
      inode.changedNs = timeNs();
      changeNames(
        who,
        [
          [from, undefined],
          [to, inode],
        ],
        breaks,
      );
      unlinked(over, who);
    },
    exchange(a: string, b: string, who: Who): void {
      const [one, other] = [at(a), at(b)];
      one.changedNs = other.changedNs = timeNs();
      changeNames(who, [
        [a, other],
        [b, one],
      ]);
    },
    link(from: string, to: string, who: Who): void {
      if (names.has(to)) fail('EEXIST', to);
      const inode = at(from);
      inode.links++;
      inode.changedNs = timeNs();
      changeNames(who, [[to, inode]]);
    },
    unlink(path: string, who: Who): void {
      const inode = at(path);
      changeNames(who, [[path, undefined]]);
      unlinked(inode, who);
    },
    /** Everything that the changes in this folder depend on is on the platter, and they are. */
    syncFolder(folder: string): void {
      const needed = new Set<NameChange>();
      const paths = new Set<string>();
      for (const change of pending.toReversed()) {
        const touched = [...change.names.keys()];
        if (!touched.some((path) => dirname(path) === folder || paths.has(path))) continue;
        needed.add(change);
        for (const path of touched) paths.add(path);
      }
      settleNames(
        sureNames,
        pending.filter((change) => needed.has(change)),
      );
      pending = pending.filter((change) => !needed.has(change));
    },
    /** The kernel writes back by itself, every few seconds. */
    flush(): void {
      settleNames(sureNames, pending);
      pending = [];
      for (const inode of names.values()) {
        inode.sure = inode.bytes;
        inode.pending = [];
      }
    },
    /** What a power cut would leave for certain. */
    sureBytes: (path: string): Buffer | undefined => sureNames.get(path)?.sure,
    /** An editor is amid something that a power cut could make a mess of. */
    editorAtRisk: (): boolean =>
      pending.some((change) => change.who === 'editor' && change.breaks) ||
      [...names.values()].some((inode) => inode.pending.some((write) => write.who === 'editor')),

    /** All programs are gone; names and data are as seen, or as a power cut leaves them. */
    crash(power: boolean): void {
      if (power) {
        const inOrder = random() < 0.5;
        const done = inOrder ? pending.slice(0, Math.floor(random() * (pending.length + 1))) : independent(pending, random);
        settleNames(sureNames, done);
        names.clear();
        for (const [path, inode] of sureNames) names.set(path, inode);
        sureNames = new Map(names);
        for (const inode of new Set(names.values())) {
          inode.bytes = leftOf(inode, random);
          inode.links = [...names.values()].filter((each) => each === inode).length;
        }
        for (const inode of names.values()) {
          inode.sure = inode.bytes;
          inode.pending = [];
        }
        pending = [];
      }
      for (const inode of names.values()) {
        inode.opens = 0;
        inode.writers = 0;
      }
      const used = new Set([...names.values()].map((inode) => inode.number));
      free = Array.from({ length: count }, (_, index) => index + 1).filter((number) => !used.has(number));
    },
  };
}

function settleNames(sure: Map<string, Inode>, changes: readonly NameChange[]): void {
  for (const change of changes) {
    for (const [path, inode] of change.names) {
      if (inode) sure.set(path, inode);
      else sure.delete(path);
    }
  }
}

/** Some of the changes, each with all that it builds upon. */
function independent(changes: readonly NameChange[], random: () => number): NameChange[] {
  const missing = new Set<string>();
  return changes.filter((change) => {
    const touched = [...change.names.keys()];
    const done = random() < 0.6 && touched.every((path) => !missing.has(path));
    if (!done) for (const path of touched) missing.add(path);
    return done;
  });
}

/** Of data that was not synced: none, all, what it was at some time, cut, or with zeros where the size was known and the data was not. */
function leftOf(inode: Inode, random: () => number): Buffer {
  const { pending, sure } = inode;
  if (pending.length === 0) return sure;
  const reached = pending[Math.floor(random() * pending.length)]?.bytes ?? sure;
  const cut = Math.floor(random() * (reached.length + 1));
  switch (Math.floor(random() * 4)) {
    case 0:
      return sure;
    case 1:
      return reached;
    case 2:
      return reached.subarray(0, cut);
    default:
      return Buffer.concat([reached.subarray(0, cut), Buffer.alloc(reached.length - cut)]);
  }
}

export function fail(code: string, path: string): never {
  throw Object.assign(new Error(`${code}: ${path}`), { code });
}
