/**
 * The real clients, in exactly these versions, in a folder that git ignores: installed once, each by itself, without running a script of
 * theirs. What cannot be installed is said, never passed over.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const CACHE = join(import.meta.dirname, '..', '..', '..', '.cache', 'agents');

export type Package = {
  readonly name: string;
  readonly version: string;
  /** From its own `node_modules`: the native program where there is one, since no script put it into its place. */
  readonly program: string;
};

const linux = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
const triple = process.arch === 'arm64' ? 'aarch64-unknown-linux-musl' : 'x86_64-unknown-linux-musl';

/** By the name that each has on the PATH. */
export const PACKAGES: Readonly<Record<string, Package>> = {
  claude: { name: '@anthropic-ai/claude-code', version: '2.1.329', program: `@anthropic-ai/claude-code-${linux}/claude` },
  codex: { name: '@openai/codex', version: '0.169.0', program: `@openai/codex-${linux}/vendor/${triple}/bin/codex` },
  gemini: { name: '@google/gemini-cli', version: '0.61.0', program: '@google/gemini-cli/bundle/gemini.js' },
  opencode: { name: 'opencode-ai', version: '1.18.33', program: `opencode-${linux}/bin/opencode` },
  'claude-agent-acp': { name: '@agentclientprotocol/claude-agent-acp', version: '0.100.0', program: '@agentclientprotocol/claude-agent-acp/dist/index.js' },
  'codex-acp': { name: '@agentclientprotocol/codex-acp', version: '2.6.0', program: '@agentclientprotocol/codex-acp/dist/index.js' },
};

export type Installed = { readonly bin: string; readonly version: string } | { readonly problem: string };

const run = promisify(execFile);
const INSTALL_MS = 300_000;

/** A folder with this program and nothing else, to be put on a PATH. */
export async function install(name: string): Promise<Installed> {
  const wanted = PACKAGES[name];
  if (!wanted) return { problem: `there is no package for ${name}` };
  const folder = join(CACHE, `${name}-${wanted.version}`);
  const program = join(folder, 'node_modules', wanted.program);
  try {
    if (!existsSync(join(folder, 'complete'))) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(join(folder, 'bin'), { recursive: true });
      writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
      const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', `${wanted.name}@${wanted.version}`];
      await run('npm', args, { cwd: folder, timeout: INSTALL_MS });
      if (!existsSync(program)) return { problem: `${wanted.name}@${wanted.version} has no ${wanted.program}` };
      await run('chmod', ['+x', program]);
      symlinkSync(program, join(folder, 'bin', name));
      writeFileSync(join(folder, 'complete'), `${wanted.version}\n`);
    }
    return { bin: join(folder, 'bin'), version: readFileSync(join(folder, 'complete'), 'utf8').trim() };
  } catch (error) {
    const words = error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' && error.stderr !== '' ? error.stderr : String(error);
    return { problem: `${wanted.name}@${wanted.version} cannot be installed: ${words.trim().split('\n').slice(-3).join(' ')}` };
  }
}
