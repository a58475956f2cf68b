/**
 * SIGKILL at every system call of each operation, of ours and of git's, and again in what a start does after it; and each call once
 * with every error that a full, broken or exhausted machine gives.
 */
import { join } from 'node:path';
import { type Campaign, type Chaos, messageOf, pick, sample } from './campaign.ts';
import { gitWrapper, type GitPoint, type Wrapper } from './git-strace.ts';
import { pointText, startVictim, strike, trace, type Point } from './strace.ts';
import { type Stage, type Subject, SUBJECTS } from './subjects.ts';
import { type Fault, newRow, note, type Row } from './table.ts';

const VICTIM = join(import.meta.dirname, 'programs', 'victim.ts');
const ERRORS = ['ENOSPC', 'EIO', 'EMFILE', 'EINTR', 'EACCES'] as const;
/** What only looks leaves the same behind as the call before it. */
const LOOKS: ReadonlySet<string> = new Set(
  'stat lstat fstat newfstatat statx readlink readlinkat pread64 read access faccessat faccessat2 getdents64 getcwd lseek fcntl mmap fstatfs statfs listxattr getxattr'.split(
    ' ',
  ),
);

/** In the bounded form only calls that change something; in the long form all. */
const worth = <P extends { readonly name: string }>(points: readonly P[], chaos: Chaos): readonly P[] =>
  chaos.share === undefined ? points : points.filter(({ name }) => !LOOKS.has(name));

const count = (chaos: Chaos, bounded: number): number | undefined => (chaos.share === undefined ? undefined : Math.ceil(bounded * chaos.share));

export const kills: Campaign = {
  name: 'kill',
  needsStrace: true,
  async run(chaos) {
    return inTurn(
      chaos,
      'kill',
      SUBJECTS.flatMap((subject) => [
        { name: subject.name, sweep: (part, row) => sweep(part, subject, row, 'first', 'signal=SIGKILL', 4) },
        { name: `${subject.name}, and again in its recovery`, sweep: (part, row) => twice(part, subject, row) },
        ...(subject.usesGit
          ? [{ name: `${subject.name}, in git`, sweep: (part: Chaos, row: Row) => sweepGit(part, subject, row, ['signal=SIGKILL'], 3) }]
          : []),
      ]),
    );
  },
};

export const errors: Campaign = {
  name: 'errors',
  needsStrace: true,
  async run(chaos) {
    const words = ERRORS.map((error) => `error=${error}`);
    return inTurn(
      chaos,
      'errors',
      SUBJECTS.flatMap((subject) => [
        { name: subject.name, sweep: (part, row) => sweep(part, subject, row, 'first', 'error', 4) },
        ...(subject.usesGit ? [{ name: `${subject.name}, in git`, sweep: (part: Chaos, row: Row) => sweepGit(part, subject, row, words, 2) }] : []),
      ]),
    );
  },
};

type Sweep = { readonly name: string; readonly sweep: (part: Chaos, row: Row) => Promise<Row> };

/** Each gets an equal part of the time that is left. */
async function inTurn(chaos: Chaos, campaign: string, all: readonly Sweep[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const wanted = all.filter(({ name }) => chaos.only.test(name));
  for (const [at, { name, sweep: work }] of wanted.entries()) {
    const now = performance.now();
    const until = now + (chaos.until() - now) / (wanted.length - at);
    rows.push(await work({ ...chaos, until: () => until }, newRow(campaign, name)));
  }
  return rows;
}

/** One fault at each of the (sampled) calls of an operation. */
async function sweep(chaos: Chaos, subject: Subject, row: Row, which: 'first' | 'again', fault: 'signal=SIGKILL' | 'error', bounded: number): Promise<Row> {
  const points = await pointsOf(subject, which);
  const all =
    fault === 'error' ? points.flatMap((point) => ERRORS.map((error) => ({ point, fault: `error=${error}` }))) : points.map((point) => ({ point, fault }));
  const useful = worth(
    all.map((each) => ({ ...each, name: each.point.name })),
    fault === 'error' ? { ...chaos, share: undefined } : chaos,
  );
  for (const { point, fault: words } of withLast(sample(useful, count(chaos, bounded), chaos.random), useful).slice(chaos.from)) {
    if (row.runs > 0 && performance.now() > chaos.until()) break;
    await staged(subject, row, `${words} at ${pointText(point)}`, async (stage) => {
      const victim = await startVictim(VICTIM, stage[which], stage.env);
      await strike(victim, point, words);
    });
  }
  return struck(chaos, row, useful.length);
}

/** In the long form it may not have come to the end: `--from` goes on from there. */
function struck(chaos: Chaos, row: Row, all: number): Row {
  if (chaos.share === undefined) chaos.figure(`${row.campaign}: ${row.name}`, `${chaos.from} to ${chaos.from + row.runs} of ${all}`);
  return row;
}

/** Right before its end everything is done and nobody has been told. */
const withLast = <P>(chosen: readonly P[], all: readonly P[]): readonly P[] => [...new Set([...chosen, ...all.slice(-1)])];

/** A kill in the operation, then a kill in what is done after it: at each call of the one, and a call by chance of the other. */
async function twice(chaos: Chaos, subject: Subject, row: Row): Promise<Row> {
  const first = worth(await pointsOf(subject, 'first'), chaos);
  let hit = 0;
  for (const one of sample(first, count(chaos, 2), chaos.random)) {
    if (row.runs > 0 && performance.now() > chaos.until()) break;
    // What it has to do depends on where it was killed.
    const after = worth(await pointsOf(subject, 'again', one), chaos);
    const other = pick(after, chaos.random);
    await staged(subject, row, `SIGKILL at ${pointText(one)}, then at ${pointText(other)}`, async (stage) => {
      await strike(await startVictim(VICTIM, stage.first, stage.env), one, 'signal=SIGKILL');
      const ended = await strike(await startVictim(VICTIM, stage.again, stage.env), other, 'signal=SIGKILL');
      if (ended.signal === 'SIGKILL') hit++;
    });
  }
  chaos.figure(`${row.name}: killed twice`, `${hit} of ${row.runs}`);
  return row;
}

/** Of the operation, or of what is done after it, or after a kill in it. */
async function pointsOf(subject: Subject, which: 'first' | 'again', killedAt?: Point): Promise<readonly Point[]> {
  const stage = await subject.stage();
  try {
    if (killedAt) await strike(await startVictim(VICTIM, stage.first, stage.env), killedAt, 'signal=SIGKILL');
    const victim = await startVictim(VICTIM, stage[which], stage.env);
    const { points, code } = await trace(victim, stage.folder);
    if (points.length === 0 || (code !== 0 && !killedAt))
      throw new Error(`${subject.name} does not work without a fault either (${code}, ${points.length} calls)`);
    return points;
  } finally {
    await stage.end();
  }
}

async function sweepGit(chaos: Chaos, subject: Subject, row: Row, faults: readonly string[], bounded: number): Promise<Row> {
  const wrapper = gitWrapper();
  try {
    const points = worth(await gitPointsOf(subject, wrapper), chaos);
    const all = points.flatMap((point) => faults.map((fault) => ({ point, fault })));
    for (const { point, fault } of sample(all, count(chaos, bounded), chaos.random).slice(chaos.from)) {
      if (row.runs > 0 && performance.now() > chaos.until()) break;
      const both = fault.startsWith('signal') && chaos.random() < 0.5;
      await staged(subject, row, `${fault} at ${point.name}#${point.k} of git ${point.call}${both ? ', with the daemon' : ''}`, async (stage) => {
        await plainRun(stage, wrapper, { point, fault, both });
      });
    }
    return struck(chaos, row, all.length);
  } finally {
    wrapper.end();
  }
}

async function gitPointsOf(subject: Subject, wrapper: Wrapper): Promise<readonly GitPoint[]> {
  const stage = await subject.stage();
  try {
    await plainRun(stage, wrapper, { trace: true });
    return wrapper.points(stage.folder);
  } finally {
    await stage.end();
  }
}

async function plainRun(stage: Stage, wrapper: Wrapper, how: Parameters<Wrapper['reset']>[0]): Promise<void> {
  wrapper.reset({ pass: true });
  const victim = await startVictim(VICTIM, stage.first, { ...stage.env, ...wrapper.env });
  wrapper.reset(how);
  victim.go();
  await victim.ended;
}

async function staged(subject: Subject, row: Row, where: string, work: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await subject.stage();
  try {
    await work(stage);
    note(row, where, await stage.judge());
  } catch (error) {
    note(row, where, [{ kind: 'untrue', what: messageOf(error) } satisfies Fault]);
  } finally {
    await stage.end().catch(() => undefined);
  }
}
