/**
 * What became of tasks between two readings of the list (6.3-R2): state, text, priority, owner and lane, also of tasks that have no id
 * yet and of changes by hand. Rows for the history, each with who and from where. Changes nothing.
 */
import { handleOf, idOf, laneOf, priorityOf, tagsOf, tagValue } from '../tasks/find.ts';
import { defaultParseOptions, parse } from '../tasks/parse.ts';
import type { Board, Section, Task } from '../tasks/task.ts';
import { type Author, authorKey, type Draft, knownIn, newKey, note, runsIn } from './world.ts';

/** Rows of tasks that came or went in one reading; a list that was put in whole has no history of its own. */
const NEWS_MAX = 200;

const HAND: Author = { by: 'person', via: 'list', person: true };

/** Who makes the change of this task that is on its way; whoever is not known to is a hand on the list. */
export function authorOf(draft: Draft, task: Pick<Task, 'section' | 'text' | 'occurrence'>, id: string | undefined): Author {
  const { authors } = draft.world;
  return (id === undefined ? undefined : authors.get(id)) ?? authors.get(authorKey(task)) ?? HAND;
}

/** Looks at every section that changed, and there only between the first and the last difference. */
export function notice(before: Board, after: Board, draft: Draft): void {
  const same = new Set(before.sections);
  const kept = new Set(after.sections);
  const gone = new Map<string, Section[]>();
  for (const section of before.sections) if (!kept.has(section)) gone.set(section.name ?? '', [...(gone.get(section.name ?? '') ?? []), section]);
  for (const section of after.sections) {
    if (same.has(section)) continue;
    const old = gone.get(section.name ?? '')?.shift();
    compare(old?.tasks ?? [], section.tasks, draft);
  }
  for (const left of gone.values()) for (const section of left) compare(section.tasks, [], draft);
}

function compare(old: readonly Task[], now: readonly Task[], draft: Draft): void {
  let head = 0;
  while (head < old.length && head < now.length && isSame(old[head], now[head])) head++;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && isSame(old.at(-1 - tail), now.at(-1 - tail))) tail++;
  const pairs = pair(old.slice(head, old.length - tail), now.slice(head, now.length - tail));
  const news = pairs.filter(([was, is]) => !was || !is).length;
  for (const [was, is] of pairs) if ((was && is) || news <= NEWS_MAX) tell(was, is, draft);
}

const isSame = (one: Task | undefined, other: Task | undefined): boolean =>
  one !== undefined &&
  other !== undefined &&
  one.text === other.text &&
  one.occurrence === other.occurrence &&
  one.marker.state === other.marker.state &&
  one.inherited === other.inherited;

type Pair = readonly [Task | undefined, Task | undefined];

/** By id or name, by text, by title; what is left over as many as before stands in the place of what was there. */
function pair(old: readonly Task[], now: readonly Task[]): Pair[] {
  const pairs: Pair[] = [];
  let left: readonly Task[] = old;
  let right: readonly Task[] = now;
  for (const key of KEYS) {
    const known = new Map<string, Task>();
    for (const task of left) {
      const word = key(task);
      if (word !== undefined && !known.has(word)) known.set(word, task);
    }
    const taken = new Set<Task>();
    const over: Task[] = [];
    for (const task of right) {
      const word = key(task);
      const was = word === undefined ? undefined : known.get(word);
      if (was && !taken.has(was)) {
        taken.add(was);
        pairs.push([was, task]);
      } else over.push(task);
    }
    left = left.filter((task) => !taken.has(task));
    right = over;
  }
  if (left.length === right.length) return [...pairs, ...left.map((task, index): Pair => [task, right[index]])];
  return [...pairs, ...left.map((task): Pair => [task, undefined]), ...right.map((task): Pair => [undefined, task])];
}

const KEYS: readonly ((task: Task) => string | undefined)[] = [
  (task) => idOf(task) ?? task.name,
  (task) => `${task.occurrence} ${task.text}`,
  (task) => `${task.occurrence} ${task.title}`,
];

function tell(was: Task | undefined, is: Task | undefined, draft: Draft): void {
  const task = is ?? was;
  if (!task) return;
  const id = idOf(task) ?? (was && idOf(was));
  const author = was ? authorOf(draft, was, id) : (draft.world.authors.get(newKey(task.title)) ?? authorOf(draft, task, id));
  // The state and the words of a task that the journal has are told where its row changes.
  const known = id !== undefined && knownIn(draft, id) !== undefined;
  const row = (field: string, old: string | null, now: string | null): void => {
    if (old !== now) note(draft, { id: id ?? handleOf(task), field, old, new: now, by: author.by, via: author.via });
  };
  if (!known) {
    row('state', was?.marker.state ?? null, is?.marker.state ?? null);
    if (was && is && was.text !== is.text) {
      row('text', was.text, is.text);
      if (handleOf(was) !== handleOf(is)) note(draft, { id: id ?? handleOf(is), field: 'was', old: handleOf(was), new: null, by: author.by, via: author.via });
    }
  }
  if (!was || !is) return;
  row('priority', `p${priorityOf(was)}`, `p${priorityOf(is)}`);
  row('owner', ownerOf(was), ownerOf(is));
  row('lane', laneOf(was), laneOf(is));
  if (waits(was) && !waits(is)) row('approved', null, `${is.fingerprint}${provenBy(draft)}`);
  if (!waits(was) && waits(is) && !author.person) row('approved', was.fingerprint, null);
}

const ownerOf = (task: Task): string | null => {
  const owner = tagValue(task, 'owner');
  return owner === undefined ? null : owner === true ? '' : owner;
};

const waits = (task: Task): boolean => laneOf(task) !== 'safe' || tagsOf(task).some((tag) => tag.key === 'approval');

/** Without a sandbox an agent could have written what a person would (6.2-R2). */
function provenBy(draft: Draft): string {
  let going = 0;
  for (const run of runsIn(draft)) if (!run.outside && run.step !== 'settle' && run.step !== 'claim') going++;
  return going === 0 ? '' : ` (unproven: ${going} agent${going === 1 ? ' was' : 's were'} at work)`;
}

/** The same of two texts of a known task, where no board before shows it. */
export function changeOfText(draft: Draft, known: { readonly id: string; readonly text: string }, task: Task, author: Author): void {
  const was = parse(`## Git Worktree x\n[] ${known.text}\n`, defaultParseOptions).sections[0]?.tasks[0];
  if (!was) return;
  const row = (field: string, old: string | null, now: string | null): void => {
    if (old !== now) note(draft, { id: known.id, field, old, new: now, by: author.by, via: author.via });
  };
  const own = { ...was, inherited: task.inherited };
  row('priority', `p${priorityOf(own)}`, `p${priorityOf(task)}`);
  row('owner', ownerOf(own), ownerOf(task));
  row('lane', laneOf(own), laneOf(task));
  if (laneOf(own) !== 'safe' && laneOf(task) === 'safe') row('approved', null, `${task.fingerprint}${provenBy(draft)}`);
}
