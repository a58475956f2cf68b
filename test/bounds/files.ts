/** Files that grow with time: the daemon's log, and the versions of the list that writes displace. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/adapters/clock.ts';
import { ARCHIVE_BOUNDS } from '../../src/adapters/list-archive.ts';
import { openLog } from '../../src/adapters/log.ts';
import { openTaskFile } from '../../src/adapters/task-file.ts';
import { applyEdits } from '../../src/tasks/edit.ts';
import { defaultParseOptions } from '../../src/tasks/parse.ts';
import type { Measured, Sample } from './curve.ts';
import { bytesBelow, MB } from './process.ts';

/** As in `list-settle.ts`. */
const OPEN_MAX = 16;
const LOG_BYTES = 256 * 1024;
const LOG_FILES = 4;

export async function daemonLog(lines: number): Promise<Measured> {
  const stateDir = mkdtempSync(join(tmpdir(), 'bounds-log-'));
  const samples: Sample[] = [];
  try {
    const log = openLog({
      stateDir,
      style: 'json',
      color: false,
      level: 'info',
      now: Date.now,
      redact: (text) => text,
      plain: (text) => text,
      maxBytes: LOG_BYTES,
    });
    for (let line = 1; line <= lines; line++) {
      log.write('info', `line ${line} of a log that has been written for a long time`, { line });
      if (line % Math.ceil(lines / 40) === 0)
        samples.push({ at: line, values: { 'log KB': Math.round(bytesBelow(stateDir) / 1024), files: readdirSync(stateDir).length } });
    }
    log.close();
    const most = Math.max(...samples.map(({ values }) => values['log KB'] ?? 0)) * 1024;
    const broken = most > LOG_BYTES * LOG_FILES + 64 * 1024 ? [`the log takes ${most} bytes`] : [];
    return { name: 'the log of the daemon', unit: 'lines', samples, broken };
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

/** As many writes as a busy month has, on one list. */
export async function listVersions(writes: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'bounds-list-'));
  const path = join(folder, 'tasks.md');
  const stateDir = join(folder, 'state');
  writeFileSync(path, '## Git Worktree a\n[] one\n');
  const list = openTaskFile({
    path,
    stateDir,
    maxListBytes: MB,
    apply: (text, edits) => applyEdits(text, edits, defaultParseOptions),
    gitState: async () => ({ position: '', listIsCommitted: false }),
    clock: systemClock(),
    log: { write: () => undefined },
    random: Math.random,
  });
  const samples: Sample[] = [];
  try {
    for (let write = 1; write <= writes; write++) {
      const target = { section: 'a', text: 'one', occurrence: 0 };
      const back = write % 2 === 0;
      const marker = back ? ({ state: 'open' } as const) : ({ state: 'blocked' } as const);
      await list.edit([{ kind: 'mark', target, expect: [back ? 'blocked' : 'open'], marker }]);
      if (write % Math.ceil(writes / 40) !== 0) continue;
      const names = readdirSync(folder).filter((name) => name.startsWith('.todone-')).length;
      const fds = readdirSync('/proc/self/fd').length;
      samples.push({ at: write, values: { versions: (await list.versions()).length, 'displaced beside': names, 'open files': fds } });
    }
    const broken: string[] = [];
    const most = Math.max(...samples.map(({ values }) => values['versions'] ?? 0));
    // Pruned every twenty writes, but for those that somebody may still write to.
    if (most > ARCHIVE_BOUNDS.beforeMax + 20 + OPEN_MAX) broken.push(`${most} versions are kept`);
    const beside = Math.max(...samples.map(({ values }) => values['displaced beside'] ?? 0));
    if (beside > 20) broken.push(`${beside} displaced files wait beside the list`);
    return { name: 'writes of the list', unit: 'writes', samples, broken };
  } finally {
    await list.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
