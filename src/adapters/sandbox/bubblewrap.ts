/**
 * What a confined program sees, as arguments of bubblewrap (5.3-R8): the machine read-only, home and temp empty, the main
 * worktree, other worktrees, the list and the journal not there at all, its workspace to write in. Its git is a copy: what it
 * does to refs, objects, hooks and config stays in the copy. Pure: paths in, arguments out; later mounts lie over earlier ones.
 */
import { basename, dirname, join } from 'node:path';

export type View = {
  readonly workspace: string;
  readonly home: string;
  /** The main worktree, and the git directory that all worktrees share. */
  readonly top: string;
  readonly commonDir: string;
  readonly stateDir: string;
  /** What is there to be hidden: entries of other worktrees. */
  readonly worktrees: boolean;
  /** Copies that stand in for the git directory's own parts. */
  readonly git: GitCopy | undefined;
  /** Programs and their libraries that lie where nothing is shown. */
  readonly tools: readonly string[];
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  /** The socket on which agents are heard. */
  readonly socket: string | undefined;
  readonly network: boolean;
};

export type GitCopy = {
  /** The workspace's entry under `.git/worktrees`, and what stands in for it. */
  readonly admin: string;
  readonly adminCopy: string;
  /** An empty store that borrows from the real one. */
  readonly objectsCopy: string;
  readonly configCopy: string;
  /** Branches and tags as they are, to be moved and added to in the copy. */
  readonly refsCopy: string;
  /** Whether git keeps logs of its refs here; the copy's begin empty. */
  readonly logs: boolean;
};

/** Where the real objects are to be seen, for the copy to borrow from. */
export const OBJECTS_SEEN_AT = '/run/todone/objects';

/** Everything before the program's own name. */
export function bubblewrapArgs(view: View): string[] {
  return [
    ...ISOLATED,
    ...(view.network ? [] : ['--unshare-net']),
    ...mount('--ro-bind', '/'),
    ...DEVICES,
    ...hidden(['/tmp', '/var/tmp', '/run', view.home]),
    ...RESOLVERS.flatMap((path) => mount('--ro-bind-try', path)),
    ...hidden([view.top]),
    ...view.tools.flatMap((path) => mount('--ro-bind-try', path)),
    ...gitOf(view),
    ...hiddenFromOthers(view.stateDir),
    ...socketOf(view),
    ...view.readable.flatMap((path) => mount('--ro-bind', path)),
    ...[view.workspace, ...view.writable].flatMap((path) => mount('--bind', path)),
    '--remount-ro',
    view.top,
    '--chdir',
    view.workspace,
    '--setenv',
    'TMPDIR',
    '/tmp',
    '--',
  ];
}

const ISOLATED = ['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--die-with-parent', '--cap-drop', 'ALL'];
const DEVICES = ['--dev', '/dev', '--proc', '/proc'];

/** Where `/etc/resolv.conf` may lead, and where some systems keep their programs. */
const RESOLVERS = ['/run/systemd/resolve', '/run/resolvconf', '/run/NetworkManager/resolv.conf', '/run/current-system'];

const mount = (how: '--bind' | '--bind-try' | '--ro-bind' | '--ro-bind-try', from: string, at = from): string[] => [how, from, at];
const hidden = (paths: readonly string[]): string[] => paths.flatMap((path) => ['--tmpfs', path]);
const hiddenFromOthers = (path: string): string[] => ['--perms', '0700', '--tmpfs', path];

function gitOf({ commonDir, worktrees, git }: View): string[] {
  const shown = [...mount('--ro-bind', commonDir), ...(worktrees ? hidden([join(commonDir, 'worktrees')]) : [])];
  if (!git) return shown;
  const objects = join(commonDir, 'objects');
  return [
    ...shown,
    ...mount('--ro-bind', objects, OBJECTS_SEEN_AT),
    ...mount('--bind', git.adminCopy, git.admin),
    ...mount('--bind', git.objectsCopy, objects),
    ...mount('--bind', git.refsCopy, join(commonDir, 'refs')),
    ...(git.logs ? hidden([join(commonDir, 'logs')]) : []),
    ...mount('--ro-bind', git.configCopy, join(commonDir, 'config')),
  ];
}

/** Its folder has to be its user's alone, here too. */
function socketOf({ socket, stateDir }: View): string[] {
  if (socket === undefined) return [];
  const folder = dirname(socket) === stateDir ? [] : ['--perms', '0700', '--dir', dirname(socket)];
  return [...folder, ...mount('--bind-try', socket)];
}

/** Of a folder of programs: the installation that it belongs to, but never all of `roots`. */
export function installationOf(folder: string, roots: readonly string[]): string {
  const inner = folder.indexOf('/node_modules/');
  if (inner >= 0) return `${folder.slice(0, inner)}/node_modules`;
  const parent = dirname(folder);
  const isTooMuch = parent === '/' || roots.some((root) => root === parent || root.startsWith(`${parent}/`));
  return PROGRAM_FOLDERS.has(basename(folder)) && !isTooMuch ? parent : folder;
}

const PROGRAM_FOLDERS: ReadonlySet<string> = new Set(['bin', '.bin', 'sbin', 'shims']);
