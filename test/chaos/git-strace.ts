/**
 * Faults at the system calls of git: a `git` before the real one on the PATH counts the calls of git that a program makes, and runs
 * one of them under strace.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The `call`-th git of a program, and in it the `k`-th call of this name. */
export type GitPoint = { readonly call: number; readonly name: string; readonly k: number };

export type Wrapper = {
  /** For the program that is to use this git. */
  readonly env: Readonly<Record<string, string>>;
  /** What each call of git did on files, of a run with `trace`. */
  points(folder: string): readonly GitPoint[];
  /** Forgets the calls; with `pass` none counts. */
  reset(how: { readonly pass: true } | { readonly trace: true } | { readonly point: GitPoint; readonly fault: string; readonly both: boolean }): void;
  end(): void;
};

const SCRIPT = `#!/bin/sh
. "$CHAOS_GIT/how"
if [ -n "$PASS" ]; then exec "$REAL" "$@"; fi
n=1
while ! mkdir "$CHAOS_GIT/call.$n" 2>/dev/null; do n=$((n + 1)); done
if [ -n "$TRACE" ]; then exec strace -qq -y -e trace=%file,%desc -o "$CHAOS_GIT/trace.$n" "$REAL" "$@"; fi
if [ "$n" != "$CALL" ]; then exec "$REAL" "$@"; fi
strace -qq -o /dev/null -e "trace=$NAME" -e "inject=$NAME:$FAULT:when=$K" "$REAL" "$@"
code=$?
if [ -n "$BOTH" ]; then kill -9 $PPID; fi
if [ $code -gt 128 ]; then kill -9 $$; fi
exit $code
`;

export function gitWrapper(): Wrapper {
  const dir = mkdtempSync(join(tmpdir(), 'git-strace-'));
  const bin = join(dir, 'bin');
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  mkdirSync(bin);
  writeFileSync(join(bin, 'git'), SCRIPT);
  chmodSync(join(bin, 'git'), 0o755);
  return {
    env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, CHAOS_GIT: dir },
    points: (folder) =>
      readdirSync(dir)
        .filter((name) => name.startsWith('trace.'))
        .flatMap((name) => pointsIn(join(dir, name), Number(name.slice('trace.'.length)), folder))
        .toSorted((a, b) => a.call - b.call),
    reset(how) {
      for (const name of readdirSync(dir)) if (name.startsWith('call.') || name.startsWith('trace.')) rmSync(join(dir, name), { recursive: true });
      const words =
        'pass' in how
          ? 'PASS=yes'
          : 'trace' in how
            ? 'PASS= TRACE=yes'
            : `PASS= TRACE= CALL=${how.point.call} NAME=${how.point.name} K=${how.point.k} FAULT=${how.fault} BOTH=${how.both ? 'yes' : ''}`;
      writeFileSync(join(dir, 'how'), `REAL=${real}\n${words}\n`);
    },
    end: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function pointsIn(file: string, call: number, folder: string): GitPoint[] {
  const counts = new Map<string, number>();
  const points: GitPoint[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const name = /^([a-z_0-9]+)\(/.exec(line)?.[1];
    if (name === undefined) continue;
    const k = (counts.get(name) ?? 0) + 1;
    counts.set(name, k);
    if (line.includes(folder)) points.push({ call, name, k });
  }
  return points;
}
