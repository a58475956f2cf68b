/**
 * SIGKILL at random over whole runs, of the daemon, of an agent, of both, of the daemon's group and of everything at once (as a
 * reboot does), while a person edits the list; a daemon that is stopped, stood in for, and wakes; and how long a start takes to decide.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Campaign, type Chaos, pick, rounds } from './campaign.ts';
import { type Daemon, kill, type Life, makeLife, namesIn, type RestOptions, textOf, untilAwake } from './life.ts';
import { filesBelow } from './subjects.ts';
import { type Fault, newRow, note, type Row } from './table.ts';

type Death = {
  readonly name: string;
  /** How often in one life. */
  readonly times: number;
  /** What is different at rest after it. */
  readonly rest?: RestOptions;
  hit(life: Life, daemon: Daemon, chaos: Chaos): Promise<void>;
};

const killed = async (daemon: Daemon): Promise<void> => {
  kill(daemon.pid, 'SIGKILL');
  await daemon.ended;
};

const killAgents = (life: Life, chaos: Chaos): void => {
  const pids = life.agents();
  if (pids.length > 0) kill(pick(pids, chaos.random), 'SIGKILL');
};

const DEATHS: readonly Death[] = [
  { name: 'SIGKILL of the daemon', times: 3, hit: (_life, daemon) => killed(daemon) },
  {
    name: 'SIGKILL of the daemon as soon as a phase has ended',
    times: 4,
    hit: (life, daemon) => killedAtNext(daemon, () => endsIn(life)),
  },
  { name: 'SIGKILL of the daemon as soon as a task has landed', times: 4, hit: (life, daemon) => killedAtNext(daemon, () => landedIn(life)) },
  {
    name: 'SIGKILL of the daemon as soon as a task has landed, the journal deleted',
    times: 2,
    rest: { forgetful: true },
    async hit(life, daemon) {
      await killedAtNext(daemon, () => landedIn(life));
      for (const tail of ['', '-wal', '-shm']) rmSync(join(life.stateDir, `journal.db${tail}`), { force: true });
    },
  },
  {
    name: 'SIGKILL of an agent',
    times: 3,
    rest: { retries: true },
    hit: async (life, _daemon, chaos) => killAgents(life, chaos),
  },
  {
    name: 'SIGKILL of daemon and agent',
    times: 3,
    rest: { retries: true },
    async hit(life, daemon, chaos) {
      killAgents(life, chaos);
      await killed(daemon);
    },
  },
  {
    name: "SIGKILL of the daemon's group",
    times: 3,
    async hit(_life, daemon) {
      kill(-daemon.pid, 'SIGKILL');
      await daemon.ended;
    },
  },
  {
    name: 'all processes at once, another boot',
    times: 3,
    rest: { retries: true },
    async hit(life, daemon) {
      kill(-daemon.pid, 'SIGKILL');
      for (const pid of life.agents()) kill(pid, 'SIGKILL');
      await daemon.ended;
      rewriteOwner(life, (info) => ({ ...info, pid: process.pid, started: `00000000-0000-4000-8000-000000000000:${String(info['started']).split(':')[1]}` }));
    },
  },
  {
    name: 'SIGKILL, and its number is given to another process',
    times: 3,
    async hit(life, daemon) {
      await killed(daemon);
      rewriteOwner(life, (info) => ({ ...info, pid: process.pid }));
    },
  },
  {
    name: 'SIGTERM twice',
    times: 3,
    async hit(_life, daemon) {
      kill(daemon.pid, 'SIGTERM');
      await sleep(50);
      kill(daemon.pid, 'SIGTERM');
      await daemon.ended;
    },
  },
  {
    name: 'SIGSTOP, another stands by, it wakes',
    times: 2,
    async hit(life, daemon, chaos) {
      kill(daemon.pid, 'SIGSTOP');
      const other = life.start();
      await sleep(600 + chaos.random() * 400);
      kill(daemon.pid, 'SIGCONT');
      await sleep(chaos.random() * 300);
      await killed(daemon);
      await sleep(chaos.random() * 500);
      await killed(other);
    },
  },
  {
    name: 'SIGSTOP, SIGKILL, another takes over',
    times: 2,
    async hit(life, daemon, chaos) {
      kill(daemon.pid, 'SIGSTOP');
      const other = life.start();
      await sleep(500 + chaos.random() * 300);
      const since = performance.now();
      await killed(daemon);
      await decided(life, other, since, 'by one that stood by', chaos);
      await killed(other);
    },
  },
];

/** Ends of phases that are written down; tasks that git knows to have landed. */
const endsIn = (life: Life): readonly string[] => filesBelow(join(life.stateDir, 'runs')).filter((file) => file.endsWith('/end-implement.json'));
const landedIn = (life: Life): readonly string[] => namesIn(join(life.top, '.git', 'refs', 'todone', 'landed')).filter((name) => !name.endsWith('.lock'));

/** In the moment when there is one more of them; when nothing comes any more, then. */
async function killedAtNext(daemon: Daemon, look: () => readonly string[]): Promise<void> {
  const before = new Set(look());
  const until = performance.now() + NEXT_MS;
  // Nothing but looking, so that nothing comes between.
  while (performance.now() < until && look().every((each) => before.has(each)));
  await killed(daemon);
}

const NEXT_MS = 2000;

export const random: Campaign = {
  name: 'random',
  async run(chaos) {
    const matching = DEATHS.filter(({ name }) => chaos.only.test(name));
    // With one share four of them, each of which kills several times.
    const deaths = rounds(matching, chaos.share === undefined ? undefined : Math.ceil(4 * chaos.share), chaos.random);
    const rows = new Map(deaths.map((death) => [death, newRow('random', death.name)]));
    let round = 0;
    do {
      for (const death of deaths) {
        if (performance.now() > chaos.until()) break;
        await liveOnce(chaos, death, rows.get(death) as Row, round++);
      }
    } while (chaos.share === undefined && performance.now() < chaos.until());
    for (const [name, ms] of slowest)
      chaos.figure(
        `first decision after a SIGKILL, ${name}, at most`,
        `${Math.round(ms)} ms of ${count.get(name)} (promised: 2000 ms, with no other work on the machine)`,
      );
    chaos.figure('agents outlived their daemon by at most', `${Math.round(longestMs)} ms`);
    return [...rows.values()];
  },
};

async function liveOnce(chaos: Chaos, death: Death, row: Row, round: number): Promise<void> {
  const life = makeLife();
  try {
    const faults: Fault[] = [];
    let since: number | undefined;
    for (let left = death.times; left > 0; left--) {
      const daemon = life.start(chaos.random() < 0.5 ? ['--once'] : []);
      if (since !== undefined) await decided(life, daemon, since, 'with a start', chaos);
      // Now and then while it starts.
      if (chaos.random() < 0.8) await untilAwake(daemon);
      await sleep(chaos.random() * 1500);
      if (chaos.random() < 0.6) life.edit(pick(['in place', 'rename'] as const, chaos.random), chaos.random);
      await sleep(chaos.random() * 200);
      since = performance.now();
      await death.hit(life, daemon, chaos);
      if (daemon.child.exitCode === null && daemon.child.signalCode === null) await killed(daemon);
      // Early in a life agents are at work; later there may be nothing left to do.
      if (left === 1 || chaos.random() < 0.5) {
        faults.push(...(await outlived(life)));
        since = undefined;
      }
    }
    note(row, `life ${round}`, [...faults, ...(await life.rest(death.rest))]);
  } finally {
    life.end();
  }
}

/** Nothing outlives a daemon that nobody starts again for longer than its watchdog needs to look (2-R7). */
async function outlived(life: Life): Promise<readonly Fault[]> {
  const since = performance.now();
  while (life.agents().length > 0 && performance.now() - since < OUTLIVES_MS) await sleep(50);
  longestMs = Math.max(longestMs, performance.now() - since);
  return life.agents().length > 0 ? [{ kind: 'orphans', what: `${life.agents().length} processes of agents outlive the daemon by ${OUTLIVES_MS} ms` }] : [];
}

/** A second or less where nothing else goes on, and no measure of anything. */
const OUTLIVES_MS = 60_000;
let longestMs = 0;

const slowest = new Map<string, number>();
const count = new Map<string, number>();

/** Notes how long it took from the fault to the first line that tells of a decision. */
async function decided(_life: Life, daemon: Daemon, since: number, name: string, chaos: Chaos): Promise<void> {
  if (!(await untilAwake(daemon, 5))) return chaos.say(`it did not come to a decision: ${daemon.said().slice(-300)}`);
  slowest.set(name, Math.max(slowest.get(name) ?? 0, performance.now() - since));
  count.set(name, (count.get(name) ?? 0) + 1);
}

function rewriteOwner(life: Life, change: (info: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>): void {
  const file = join(life.stateDir, 'owner.json');
  const written = textOf(file);
  if (written !== '') writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>)));
}
