/**
 * Agents do not outlive the daemon (2-R7), not even after its SIGKILL: a small shell waits on a pipe from us, and when that
 * closes it kills whatever carries this life's mark. The mark is of this process and not of the journal, so that the owner who
 * takes over at once keeps its runs. Never carries the mark itself, and never in our group or session.
 */
import { randomBytes } from 'node:crypto';
import { companion } from './exec.ts';

/** The variable, and its value for as long as this process lives. */
export const LIFE = 'TODONE_LIFE';
export const life = `${process.pid}-${randomBytes(8).toString('hex')}`;

const RESTART_MS = 200;

/** Three empty looks in a row end it: a child that is only just being started has its mark a moment later. */
const SOURCE = `
trap '' INT TERM HUP QUIT
while read -r _; do :; done
looks=0 empty=0
while [ $looks -lt 100 ] && [ $empty -lt 3 ]; do
  looks=$((looks + 1))
  if [ -d /proc/self ]; then
    found=$(grep -lszxF -e "${LIFE}=$OF" /proc/[0-9]*/environ | cut -d/ -f3)
  else
    found=$(ps -axEww -o pid=,command= | awk 'index($0 " ", " ${LIFE}=" ENVIRON["OF"] " ") { print $1 }')
  fi
  if [ -n "$found" ]; then kill -9 $found 2>/dev/null; empty=0; else empty=$((empty + 1)); fi
  sleep 0.1
done
`;

let running = false;
let needed = 0;

/** Makes sure that the watchdog runs beside us, for as long as the returned function has not been called. */
export function underWatch(): () => void {
  needed++;
  start();
  let over = false;
  return () => {
    if (!over) needed--;
    over = true;
  };
}

/** If somebody ends it while there is something to watch, another one takes its place. */
function start(): void {
  if (running) return;
  running = true;
  const dog = companion('sh', ['-c', SOURCE], { cwd: '/', env: { PATH: `/usr/bin:/bin:${process.env['PATH'] ?? ''}`, OF: life } });
  void dog.ended.then(() => {
    running = false;
    if (needed > 0) setTimeout(() => needed > 0 && start(), RESTART_MS).unref();
  });
}
