/**
 * The sandbox of runs (5.3-R8): what is in force on this machine, shown and never silently off, and every command that belongs to
 * a run put into it. `auto` takes bubblewrap where it passes its self-test.
 */
import { existsSync, mkdirSync, mkdtempSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../config.ts';
import { exec } from '../exec.ts';
import { findProgram } from '../find-program.ts';
import { bubblewrapArgs, installationOf, type View } from './bubblewrap.ts';
import { borrowed, copyGit } from './git-copy.ts';

export type Command = { readonly program: string; readonly args: readonly string[] };

export type Room = {
  readonly workspace: string;
  /** Absolute; what is not there is made (a folder) or left out. */
  readonly readable?: readonly string[];
  readonly writable?: readonly string[];
  /** The variables that the program will have: its PATH says which tools it needs to see. */
  readonly env: Readonly<Record<string, string>>;
};

/** The command inside; `leave` when it has ended. */
export type Confined = Command & { readonly confined: boolean; leave(): void };

export type Sandbox = {
  readonly kind: 'none' | 'bwrap';
  /** For people: what is in force, or why nothing is. */
  readonly found: string;
  /** Set where the config asks for a sandbox that this machine does not give: nothing may run then. */
  readonly problem: string | undefined;
  confine(command: Command, room: Room): Confined;
};

export type SandboxOptions = {
  readonly config: () => Config;
  readonly top: string;
  readonly commonDir: string;
  readonly stateDir: string;
  readonly list: string;
  /** Where agents are heard. */
  readonly socket: string | undefined;
  /** What `todone mcp` needs to run: its program and its packages. */
  readonly own: readonly string[];
  readonly env: NodeJS.ProcessEnv;
};

const PROBE_MS = 10_000;

/** What the config asks for and this machine passes. Looks once: a daemon keeps what it found at its start. */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { sandbox } = options.config();
  if (sandbox === 'none') return openTo('none: the config says so');
  const bwrap = findProgram('bwrap', options.env);
  const trouble = bwrap === undefined ? 'bwrap is not on the PATH: install bubblewrap' : await selfTest(bwrap, options);
  if (bwrap !== undefined && trouble === undefined) {
    rmSync(cages(options), { recursive: true, force: true });
    return { kind: 'bwrap', found: 'bwrap: passed its self-test', problem: undefined, confine: (command, room) => enter(bwrap, options, command, room) };
  }
  if (sandbox === 'bwrap')
    return { ...openTo(`bwrap: ${trouble}`), problem: `the sandbox is not to be had (${trouble}): put that right, or set sandbox to auto or none` };
  return openTo(`none: ${trouble}`);
}

/** Every command as it is. */
export const openTo = (found: string): Sandbox => ({
  kind: 'none',
  found,
  problem: undefined,
  confine: (command) => ({ ...command, confined: false, leave: () => undefined }),
});

const cages = ({ stateDir }: SandboxOptions): string => join(stateDir, 'cages');

function enter(bwrap: string, options: SandboxOptions, command: Command, room: Room): Confined {
  mkdirSync(cages(options), { recursive: true, mode: 0o700 });
  const cage = mkdtempSync(join(cages(options), 'run-'));
  const args = [...bubblewrapArgs(viewOf(options, room, cage, command.program)), command.program, ...command.args];
  return { program: bwrap, args, confined: true, leave: () => rmSync(cage, { recursive: true, force: true }) };
}

function viewOf(options: SandboxOptions, room: Room, cage: string, program: string): View {
  const { sandboxPaths, sandboxNetwork } = options.config();
  const home = real(options.env['HOME'] ?? '/root');
  const [top, commonDir, stateDir] = [real(options.top), real(options.commonDir), real(options.stateDir)];
  const roots = [home, top];
  const isShown = (path: string): boolean => ![...roots, '/tmp', '/var/tmp', '/run'].some((root) => path === root || path.startsWith(`${root}/`));
  const toolFolders = [...(room.env['PATH'] ?? '').split(':'), ...(program.includes('/') ? [dirname(real(program)), dirname(program)] : [])];
  const tools = toolFolders.filter((path) => path.startsWith('/') && existsSync(path)).flatMap((path) => [...new Set([path, real(path)])]);
  const fromHome = (path: string): string => path.replace(/^~(?=\/|$)/, home);
  for (const path of room.writable ?? []) if (!existsSync(path)) mkdirSync(path, { recursive: true, mode: 0o700 });
  return {
    workspace: real(room.workspace),
    home,
    top,
    commonDir,
    stateDir,
    worktrees: existsSync(join(commonDir, 'worktrees')),
    git: copyGit(commonDir, real(room.workspace), cage),
    tools: [...new Set([...tools.map((path) => installationOf(path, roots)), ...options.own, ...borrowed(commonDir)])].filter((path) => !isShown(path)),
    readable: [...(room.readable ?? []), ...sandboxPaths.read.map(fromHome)].filter((path) => existsSync(path)),
    writable: [...(room.writable ?? []), ...sandboxPaths.write.map(fromHome)].filter((path) => existsSync(path)),
    socket: options.socket === undefined ? undefined : join(real(dirname(options.socket)), options.socket.slice(dirname(options.socket).length + 1)),
    network: sandboxNetwork,
  };
}

/** Undefined, or what is wrong: tried as a run would have it, on what must not be seen or written here. */
async function selfTest(bwrap: string, options: SandboxOptions): Promise<string | undefined> {
  mkdirSync(cages(options), { recursive: true, mode: 0o700 });
  const workspace = mkdtempSync(join(cages(options), 'probe-'));
  const env = { PATH: options.env['PATH'] ?? '/usr/bin:/bin' };
  const inside = enter(
    bwrap,
    options,
    { program: 'sh', args: ['-c', PROBE, 'probe', workspace, options.commonDir, options.stateDir, options.list, pidSpace()] },
    { workspace, env },
  );
  try {
    const ran = await exec(inside.program, [...inside.args], { cwd: workspace, env, timeoutMs: PROBE_MS });
    if (ran.trouble !== undefined) return `bwrap cannot be started (${ran.trouble})`;
    const said = ran.stdout.toString('utf8').trim();
    if (ran.code === 0 && said === 'fine') return undefined;
    return said === '' ? `bwrap: ${ran.stderr.trim().split('\n').at(-1) ?? `exit ${ran.code}`}` : said;
  } finally {
    inside.leave();
    rmSync(workspace, { recursive: true, force: true });
  }
}

/** Prints what is wrong, or `fine`. */
const PROBE = `
: > "$1/probe" 2>/dev/null || { echo 'the workspace cannot be written inside'; exit; }
if ( : > "$2/todone-probe" ) 2>/dev/null; then echo 'the git directory can be written inside'; exit; fi
if ( : >> "$2/config" ) 2>/dev/null; then echo 'the git config can be written inside'; exit; fi
for hidden in "$3/journal.db" "$3/owner.db" "$4"; do [ -e "$hidden" ] && { echo "$hidden can be seen inside"; exit; }; done
[ "$(readlink /proc/self/ns/pid)" = "$5" ] && { echo 'it has no process space of its own inside'; exit; }
echo fine`;

function pidSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
