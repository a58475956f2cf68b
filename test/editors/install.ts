/**
 * The editors have to be there. What is missing is installed where that is ours to do (root, or sudo without a question, on Debian, as in CI); else it is
 * said, and counts as a failure unless TODONE_EDITORS_WITHOUT names it (programs, with commas).
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Missing } from './table.ts';

const INSTALL_MS = 5 * 60_000;

export async function missingTools(needs: readonly { readonly program: string; readonly debian: string }[]): Promise<ReadonlyMap<string, Missing>> {
  const absent = needs.filter(({ program }) => !isHere(program));
  if (absent.length > 0 && existsSync('/usr/bin/apt-get') && (process.geteuid?.() === 0 || maySudo()))
    install([...new Set(absent.map(({ debian }) => debian))]);
  const excused = new Set((process.env['TODONE_EDITORS_WITHOUT'] ?? '').split(',').map((name) => name.trim()));
  return new Map(absent.filter(({ program }) => !isHere(program)).map(({ program }) => [program, { program, excused: excused.has(program) }]));
}

function install(packages: readonly string[]): void {
  const apt = (...args: readonly string[]): void =>
    void execFileSync(process.geteuid?.() === 0 ? 'apt-get' : 'sudo', [...(process.geteuid?.() === 0 ? [] : ['-n', 'apt-get']), '-qq', '-y', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: INSTALL_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  try {
    process.stderr.write(`installing ${packages.join(' ')} …\n`);
    apt('update');
    apt('install', '--no-install-recommends', ...packages);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}

function maySudo(): boolean {
  try {
    execFileSync('sudo', ['-n', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function isHere(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
