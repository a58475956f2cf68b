/**
 * Agents do not outlive the daemon (2-R7), not even after its SIGKILL: a small process waits on a pipe from us, and when that
 * closes it sweeps everything with our mark. Started with the first run; never carries the mark itself.
 */
import { spawn } from 'node:child_process';

/** Plain CommonJS for `node -e`: it must run wherever we run, bundled or not. */
const SOURCE = `
const fs = require('node:fs'), { execFileSync } = require('node:child_process');
const mark = process.argv[1];
const read = (path) => { try { return fs.readFileSync(path, 'latin1'); } catch { return ''; } };
const found = () => process.platform === 'linux'
  ? fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && ('\\0' + read('/proc/' + name + '/environ')).includes('\\0' + mark)).map(Number)
  : execFileSync('ps', ['-axEww', '-o', 'pid=,command='], { encoding: 'utf8' }).split('\\n').filter((line) => line.includes(' ' + mark)).map((line) => parseInt(line, 10));
const sweep = (left) => {
  const pids = found();
  for (const pid of pids) { try { process.kill(pid, 'SIGKILL'); } catch {} }
  if (left > 0) setTimeout(sweep, 100, left - 1); else process.exit();
};
process.stdin.resume();
process.stdin.on('end', () => sweep(20));
process.stdin.on('error', () => sweep(20));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
`;

const started = new Set<string>();

/** Makes sure that a watchdog for this journal's mark runs beside us. */
export function keepWatchdog(epoch: string): void {
  if (started.has(epoch)) return;
  started.add(epoch);
  const child = spawn(process.execPath, ['-e', SOURCE, `TODONE_RUN=${epoch}`], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: { PATH: process.env['PATH'] ?? '' } });
  child.on('error', () => started.delete(epoch));
  child.stdin?.on('error', () => undefined);
  child.unref();
  if (child.stdin && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
}
