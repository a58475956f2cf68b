/**
 * Landing (4-R6, R8, R9): squash, rebase, hooks, verify, fast-forward; each looks first whether it is already so. Says in which order,
 * never how: that is the port's matter. Several finished runs may go together: each is laid on the one before, `verify` runs on
 * the last, and where that fails the first one on which it fails is looked for by halves; it alone goes back. The branch moves
 * only to a commit that `verify` has passed on; the commits of one such move are before or after it together.
 */
import type { End, Failing, Found, Run } from '../runs/run.ts';
import { type Doing, orderOf, verifyOf } from './doing.ts';
import type { LandingOrder, Squashed } from './ports.ts';

const BUSY_RETRY_MS = 5000;

/** A run that wants to land, with what it is performed with. */
export type Landing = { readonly run: Run; readonly order: LandingOrder; readonly doing: Doing };

/** `apart`, `moved`: nothing has happened yet, it stays in line. */
export type Landed = End | 'apart' | 'moved';

type Commit = Extract<Squashed, { kind: 'commit' }>;
/** One of the stack: its commit lies on the one before. */
type Stacked = { readonly landing: Landing; readonly squashed: Commit };

export function landingOrder(run: Run): LandingOrder | undefined {
  const { workspace, start, commitMessage, summary } = run.found;
  if (workspace === undefined || start === undefined) return undefined;
  const message = commitMessage ?? (summary === undefined ? run.task.title : `${run.task.title}\n\n${summary}`);
  return {
    ...orderOf(run),
    workspace,
    start,
    title: run.task.title,
    message,
    agent: run.agent,
    model: run.model,
    noCommit: run.task.tags.includes('no-commit'),
  };
}

/** All of one section and with the same check; the first one first. */
export async function landTogether(landings: readonly Landing[]): Promise<ReadonlyMap<Landing, Landed>> {
  const ends = new Map<Landing, Landed>();
  const stack: Stacked[] = [];
  for (const landing of landings) {
    const squashed = await squash(landing, stack.at(-1)?.squashed.commit).catch(troubleOf);
    if ('end' in squashed) ends.set(landing, squashed.end);
    else if ('trouble' in squashed) ends.set(landing, { kind: 'transient', reason: 'setup_failed', message: `land: ${squashed.trouble}` });
    else if (squashed.kind === 'commit') stack.push({ landing, squashed });
    else ends.set(landing, squashed.kind === 'apart' ? 'apart' : unlanded(squashed, landing.order, landing.doing.clock.now()));
  }
  if (stack.length === 0) return ends;

  const proven = await prove(stack);
  for (const { landing } of stack) ends.set(landing, 'apart');
  const stopped = stack.find(({ landing }) => landing.doing.signal.aborted);
  if (stopped) ends.set(stopped.landing, await cancelled(stopped));
  else await advance(stack.slice(0, proven.green), ends);
  const { red } = proven;
  if (red && !stopped) {
    const below = stack[proven.green - 1];
    ends.set(red.stacked.landing, await sentBack(red.stacked, red, below && ends.get(below.landing)));
  }
  for (const { landing, squashed } of stack) {
    const end = ends.get(landing);
    // What `verify` left behind is not the agent's, and must not be squashed with its work.
    if (end === 'apart' || end === 'moved' || (end as End).kind === 'transient') await landing.doing.landing.checkout(landing.order.workspace, squashed.own);
  }
  return ends;
}

/** Its commit, on which the repository's hooks have passed. */
async function squash(landing: Landing, onto: string | undefined): Promise<Squashed | { readonly end: End }> {
  const { order, doing } = landing;
  const squashed = await doing.landing.squash(order, onto);
  if (squashed.kind !== 'commit' || doing.config.landHooks.length === 0) return squashed;
  const stacked = { landing, squashed };
  await doing.landing.checkout(order.workspace, squashed.commit, squashed.own);
  const hooked = await doing.landHooks.run(order, squashed.commit, doing.signal);
  if (doing.signal.aborted) return { end: await cancelled(stacked) };
  if (hooked.kind === 'fine') return hooked.message === undefined ? squashed : doing.landing.reword(order, squashed, hooked.message);
  if (hooked.kind === 'missing') return { end: { ...(await givenUp(stacked)), reason: 'setup_failed', message: hooked.message } };
  // What lies below has not landed: judged by itself, it may pass.
  if (onto === undefined) return { end: await sentBack(stacked, hooked, undefined) };
  await doing.landing.checkout(order.workspace, squashed.own);
  return { kind: 'apart' };
}

const troubleOf = (error: unknown): { readonly trouble: string } => ({ trouble: error instanceof Error ? error.message : String(error) });

type Fault = { readonly message: string; readonly evidence: string };

type Red = Fault & { readonly stacked: Stacked };

/** How many from the first on are proven by a check of the last of them, and the one above them on which it fails. */
async function prove(stack: readonly Stacked[]): Promise<{ readonly green: number; readonly red?: Red }> {
  let green = 0;
  let bad = stack.length + 1;
  let red: Red | undefined;
  for (let at = stack.length; bad - green > 1; at = (green + bad) >> 1) {
    if (stack.some(({ landing }) => landing.doing.signal.aborted)) return { green: 0 };
    const stacked = stack[at - 1]!;
    const found = await check(stacked);
    if (found) [bad, red] = [at, { stacked, ...found }];
    else green = at;
  }
  return { green, red };
}

/** Runs `verify` on exactly the commit that is to land; what is wrong if it fails. */
async function check({ landing, squashed }: Stacked): Promise<Fault | undefined> {
  const { run, order, doing } = landing;
  const command = verifyOf(run, doing.config);
  if (command === undefined || doing.verify.hasPassed(squashed.tree, command)) return undefined;
  await doing.landing.checkout(order.workspace, squashed.commit, squashed.own);
  const verified = await doing.verify.run(order, command, order.workspace, doing.signal);
  if (!verified || doing.signal.aborted) return undefined;
  if (verified.ok) {
    doing.verify.passed(squashed.tree, command);
    return undefined;
  }
  const how = verified.timedOut ? 'took too long' : `exit ${verified.code ?? 'by signal'}`;
  return {
    message: `\`${verified.command}\` ${how}`,
    evidence: `\`${verified.command}\` ${how} on the commit that was to land. Its output ended:\n${verified.output}`,
  };
}

/** One swap for all of them. */
async function advance(stack: readonly Stacked[], ends: Map<Landing, Landed>): Promise<void> {
  const top = stack.at(-1);
  const first = stack[0];
  if (!top || !first) return;
  const { doing, order } = top.landing;
  const below = stack.slice(0, -1).map(({ landing, squashed }) => ({ order: landing.order, commit: squashed.commit }));
  const advanced = await doing.landing.advance(order, first.squashed.tip, top.squashed.commit, below);
  const commits = advanced.kind === 'landed' ? [...advanced.below, advanced] : [];
  stack.forEach(({ landing, squashed }, at) => {
    const commit = commits[at];
    if (commit) ends.set(landing, { kind: 'done', found: { commit: commit.commit, hash: commit.hash, notes: squashed.notes } });
    else if (advanced.kind === 'busy') ends.set(landing, inTheWay(advanced.message, doing.clock.now()));
    else ends.set(landing, 'moved');
  });
}

/** The work goes back to the agent on top of what it was checked with, where that has landed; else as it was. */
async function sentBack({ landing, squashed }: Stacked, { message, evidence }: Fault, below: Landed | undefined): Promise<End> {
  const { run, order, doing } = landing;
  const landedBelow = typeof below === 'object' && below.kind === 'done' ? below.found?.commit : undefined;
  const start = below === undefined ? squashed.tip : landedBelow;
  await doing.landing.checkout(order.workspace, start === undefined ? squashed.own : squashed.commit);
  const kept = await doing.workspaces.snapshot(order, 'land', order.workspace, start ?? order.start);
  // Where the workspace now stands on the tip, the next attempt goes on from there.
  const failing = failingAgain(run.found.failing, squashed.tree);
  const most = doing.config.limits.sameFailures;
  const stuck = most > 0 && failing.times >= most;
  const words = stuck ? `${message}, ${failing.times} times on unchanged work` : message;
  return { kind: 'final', reason: stuck ? 'no_progress' : 'verify_failed', message: words, evidence, found: { start: start ?? order.start, kept, failing } };
}

const failingAgain = (before: Failing | undefined, tree: string): Failing => ({ tree, times: before?.tree === tree ? before.times + 1 : 1 });

function unlanded(squashed: Exclude<Squashed, { kind: 'commit' | 'apart' }>, order: LandingOrder, now: number): End {
  switch (squashed.kind) {
    case 'landed':
      return { kind: 'done', found: { commit: squashed.commit, hash: squashed.hash } };
    case 'empty':
      if (order.noCommit) return { kind: 'done', found: { hash: '-' } };
      return noChange(squashed.notes);
    case 'conflict':
      return {
        kind: 'rework',
        reason: 'conflict',
        message: squashed.message,
        evidence: squashed.evidence,
        found: { start: squashed.start, kept: squashed.kept },
      };
    case 'busy':
      return inTheWay(squashed.message, now);
    case 'refused':
      return { kind: 'final', reason: squashed.lost ? 'lost' : 'refused', message: squashed.message, evidence: squashed.message };
  }
}

function noChange(leftOut: readonly string[]): End {
  const message = leftOut.length === 0 ? 'the agent ended without changing a file' : `nothing is left to land: ${leftOut.join('; ')}`;
  return { kind: 'final', reason: 'no_change', message, evidence: `The last attempt: ${message}.` };
}

const inTheWay = (message: string, now: number): End => ({ kind: 'transient', reason: 'setup_failed', message, retryAt: now + BUSY_RETRY_MS, patient: true });

const cancelled = async (stacked: Stacked): Promise<End> => ({ ...(await givenUp(stacked)), reason: 'cancelled', message: 'stopped' });

/** The work is there again as it was, and kept. */
async function givenUp({ landing, squashed }: Stacked): Promise<{ readonly kind: 'final'; readonly found: Found }> {
  const { run, order, doing } = landing;
  await doing.landing.checkout(order.workspace, squashed.own);
  const kept = await doing.workspaces.snapshot(order, 'land', order.workspace, order.start);
  return { kind: 'final', found: { kept: kept ?? run.found.kept } };
}
