/**
 * Requests that change what the list says of tasks: new ones, their title, priority, owner, links, approval. As edits of the list,
 * tried on the board first, so that nothing is written that would leave a cycle or an unknown id behind.
 */
import { applyEdits } from '../tasks/edit.ts';
import { afterOf, idOf as idOnLine, laneOf, priorityOf, tagsOf, tagValue, targetOf } from '../tasks/find.ts';
import type { Edit, Located, MarkerState, Tag, Task } from '../tasks/task.ts';
import { canonicalKey, LANES } from '../tasks/vocabulary.ts';
import { type Asked, type Asking, refused } from './asking.ts';
import { idOf, type Scene } from './choose.ts';
import type { EditItem, Reply } from './list-edits.ts';
import { newId } from './new-id.ts';
import { problemsOf } from './problems.ts';
import type { RequestInput } from './requests.ts';
import { resolve } from './resolve.ts';
import { isTaken, runIn } from './world.ts';

/** Edits that are written together, or why they are not. */
export function written(asking: Asking, edits: readonly Edit[], reply: Omit<Reply, 'number'>, about?: Located): Asked {
  const trouble = troubleWith(asking.scene, edits);
  const name = about && (idOf(asking.scene, about.task) ?? about.task);
  if (trouble) return refused(asking, trouble.cycle ? 'cycle' : 'conflict', trouble.message, trouble.remedy, name);
  const item: EditItem = { purpose: 'ask', id: '', ticket: 0, edits, urgent: true, reply: { ...reply, number: asking.number } };
  return { halts: [], goes: [], edits: [item] };
}

/** What the list would complain of afterwards and does not now: cycles, ids that are there twice or nowhere. */
function troubleWith(scene: Scene, edits: readonly Edit[]): { readonly message: string; readonly remedy: string; readonly cycle: boolean } | undefined {
  const { labels, workers } = scene.config;
  const { board } = applyEdits(scene.board.text, edits, { labels, workers }, scene.board);
  const before = new Set(scene.problems.map(({ rule, message }) => `${rule} ${message}`));
  const found = problemsOf(board, scene.draft.world, scene.config).find(
    ({ rule, message }) => (rule === '6.3-R1' || rule === '1.4-R9') && !before.has(`${rule} ${message}`),
  );
  return found && { message: found.message, remedy: found.remedy, cycle: found.rule === '6.3-R1' };
}

/** A name that `{after:…}` can say, and the edit that gives the task one where it has none. */
export function nameFor(asking: Asking, { task }: Located, edits: Edit[]): string {
  const name = task.name ?? idOnLine(task);
  if (name !== undefined) return name;
  const id = idOf(asking.scene, task) ?? freshId(asking);
  edits.push({ kind: 'addTag', target: targetOf(task), key: 'id', value: id });
  return id;
}

export const freshId = (asking: Asking): string => newId(asking.random, (id) => isTaken(asking.draft, id));

/** A worker changes what it holds or has filed itself (13-R1); a person everything. */
export function mayChange(asking: Asking, { task }: Located): boolean {
  const { caller, scene } = asking;
  if (caller.kind === 'person') return true;
  const id = idOf(scene, task);
  const run = id === undefined ? undefined : runIn(scene.draft, id);
  return (run?.outside?.worker === caller.name && run.step !== 'settle') || (tagValue(task, 'by') === caller.name && laneOf(task) === 'triage');
}

export const notYours = (asking: Asking, { task }: Located): Asked =>
  refused(
    asking,
    'forbidden',
    `a worker changes only what it has claimed or filed itself`,
    'claim it first, or leave it to a person',
    idOf(asking.scene, task) ?? task,
  );

const shownAs = (scene: Scene, located: Located, title?: string): Pick<Reply, 'ids' | 'titles'> => {
  const id = idOf(scene, located.task);
  return id === undefined ? { titles: [{ section: located.task.section, title: title ?? located.task.title }] } : { ids: [id] };
};

export const replyAbout = (scene: Scene, located: Located, message: string, title?: string): Omit<Reply, 'number'> => ({
  message,
  shape: 'task',
  ...shownAs(scene, located, title),
});

// ── one task ─────────────────────────────────────────────────────────────────────────────────────

export function assign(asking: Asking, owner: string, located: Located): Asked {
  const { caller } = asking;
  const { task } = located;
  const now = tagValue(task, 'owner');
  if (caller.kind !== 'person' && (owner !== caller.name || (now !== undefined && now !== owner)))
    return refused(asking, 'forbidden', 'a worker takes for itself what nobody has', 'leave it to a person to give it away', idOf(asking.scene, task) ?? task);
  return written(
    asking,
    [{ kind: 'addTag', target: targetOf(task), key: 'owner', value: owner }],
    replyAbout(asking.scene, located, `assigned to ${owner}`),
    located,
  );
}

export function unassign(asking: Asking, located: Located): Asked {
  const { task } = located;
  const { caller } = asking;
  const about = idOf(asking.scene, task) ?? task;
  const owner = tagValue(task, 'owner');
  if (caller.kind !== 'person' && owner !== undefined && owner !== caller.name)
    return refused(asking, 'forbidden', `it is reserved for ${owner === true ? 'somebody' : owner}`, 'leave it to a person', about);
  if (owner !== undefined && !task.tags.some((tag) => tag.key === 'owner'))
    return refused(asking, 'conflict', 'its owner stands on a heading', 'take {owner:…} off the heading, or assign the task to somebody else', about);
  return written(asking, [{ kind: 'removeTag', target: targetOf(task), key: 'owner' }], replyAbout(asking.scene, located, 'anyone may take it'), located);
}

/** The fields of `update` that are text: what is left of it once `status` has been taken care of. */
export function change(asking: Asking, input: RequestInput<'task.update'>, located: Located): Asked {
  if (!mayChange(asking, located)) return notYours(asking, located);
  const { task } = located;
  const target = targetOf(task);
  const edits: Edit[] = [];
  if (input.status === 'blocked') edits.push({ kind: 'addTag', target, key: 'hold', value: input.reason ?? `${asking.caller.name} holds it` });
  if (input.status === 'open' || input.status === 'pending') edits.push(...reopened(asking, task));
  if (input.priority !== undefined && (input.priority !== priorityOf(task) || task.tags.some((tag) => /^p[0-3]$/.test(tag.key))))
    edits.push({ kind: 'addTag', target, key: `p${input.priority}` });
  if (input.owner !== undefined)
    edits.push(input.owner === null ? { kind: 'removeTag', target, key: 'owner' } : { kind: 'addTag', target, key: 'owner', value: input.owner });
  if (input.after !== undefined) {
    const names = namesOf(asking, input.after, edits);
    if (!Array.isArray(names)) return names as Asked;
    edits.push({ kind: 'removeTag', target, key: 'after' });
    if (names.length > 0) edits.push({ kind: 'addTag', target, key: 'after', value: names.join(',') });
  }
  // The title last: until then the task is found by what it was.
  if (input.title !== undefined) edits.push(...voided(asking, located), { kind: 'retitle', target, title: input.title });
  if (edits.length === 0) return refused(asking, 'invalid', 'nothing is to be changed', 'name a new --status, --priority, --title, --owner or --after');
  return written(asking, edits, replyAbout(asking.scene, located, 'changed', input.title), located);
}

/** 6.2-R3: what a person let start was its text; changed by anyone else, it waits for a person again. */
function voided(asking: Asking, { task }: Located): Edit[] {
  if (asking.caller.kind === 'person' || laneOf(task) === 'triage') return [];
  return [
    { kind: 'addTag', target: targetOf(task), key: 'triage' },
    ...(tagValue(task, 'by') === undefined ? [{ kind: 'addTag', target: targetOf(task), key: 'by', value: asking.caller.name } as const] : []),
  ];
}

const REOPENS: readonly MarkerState[] = ['blocked', 'failed', 'cancelled', 'in_progress'];

function reopened(asking: Asking, task: Task): Edit[] {
  const target = targetOf(task);
  const id = idOf(asking.scene, task);
  const mark: Edit = { kind: 'mark', target, expect: REOPENS, marker: { state: 'open', ...(id === undefined ? {} : { id }) } };
  return [
    ...(task.tags.some((tag) => tag.key === 'hold') ? [{ kind: 'removeTag', target, key: 'hold' } as const] : []),
    ...(REOPENS.includes(task.marker.state) ? [mark] : []),
  ];
}

// ── links ────────────────────────────────────────────────────────────────────────────────────────

/** The names of tasks that others are to wait for; ids are written where they are needed. */
export function namesOf(asking: Asking, wanted: readonly string[], edits: Edit[]): readonly string[] | Asked {
  const names: string[] = [];
  for (const name of wanted) {
    const located = resolve(asking.scene, name);
    if (located) names.push(nameFor(asking, located, edits));
    else if (isTaken(asking.draft, name)) names.push(name);
    else return refused(asking, 'unknown', `no task is called ${name}`, 'todone task list shows every task with its id or handle');
  }
  return names;
}

export function depAdd(asking: Asking, after: readonly string[], located: Located): Asked {
  if (!mayChange(asking, located)) return notYours(asking, located);
  const edits: Edit[] = [];
  const names = namesOf(asking, after, edits);
  if (!Array.isArray(names)) return names as Asked;
  edits.push({ kind: 'addTag', target: targetOf(located.task), key: 'after', value: names.join(',') });
  return written(asking, edits, replyAbout(asking.scene, located, `it waits for ${names.join(', ')}`), located);
}

export function depRemove(asking: Asking, after: readonly string[], located: Located): Asked {
  if (!mayChange(asking, located)) return notYours(asking, located);
  const { task } = located;
  const gone = new Set(after.flatMap((name) => [name, ...aliasesOf(asking, name)]));
  const left = afterOf(task).filter((name) => !gone.has(name));
  if (left.length === afterOf(task).length)
    return refused(asking, 'unknown', `it does not wait for ${after.join(', ')}`, 'todone task dep tree shows what it waits for');
  const target = targetOf(task);
  const edits: Edit[] = [{ kind: 'removeTag', target, key: 'after' }];
  if (left.length > 0) edits.push({ kind: 'addTag', target, key: 'after', value: left.join(',') });
  return written(asking, edits, replyAbout(asking.scene, located, `it no longer waits for ${after.join(', ')}`), located);
}

function aliasesOf(asking: Asking, name: string): string[] {
  const located = resolve(asking.scene, name);
  return located ? [located.task.name, idOf(asking.scene, located.task)].filter((alias) => alias !== undefined) : [];
}

// ── approval ─────────────────────────────────────────────────────────────────────────────────────

export function approve(asking: Asking, input: RequestInput<'task.approve'>): Asked {
  const { scene } = asking;
  const chosen: Located[] = [];
  for (const name of input.tasks ?? []) {
    const located = resolve(scene, name);
    if (!located) return refused(asking, 'unknown', `no task is called ${name}`, 'todone triage shows what waits for a person');
    chosen.push(located);
  }
  const wide = input.tasks === undefined && input.group === undefined;
  if (wide && input.section === undefined && input.lane === undefined)
    return refused(asking, 'invalid', 'nothing was named', 'name tasks, --section, --lane or --group');
  if (wide) chosen.push(...waitingIn(scene, input.section, input.lane));
  const headings = input.lane !== undefined || (input.tasks !== undefined && input.group === undefined) ? [] : headingEdits(scene, input.section, input.group);
  const edits: Edit[] = chosen.flatMap((located) => approveEdits(located, input.answer));
  const gated = chosen.find(({ task }) => laneOf(task) === 'safe' && tagsOf(task).some((tag) => tag.key === 'approval'));
  if (gated && headings.length === 0)
    return refused(
      asking,
      'not_ready',
      `"${gated.task.title}" waits with its whole group`,
      `approve the group: --group "${gated.task.phase ?? gated.task.section}"`,
      idOf(scene, gated.task) ?? gated.task,
    );
  if (edits.length + headings.length === 0)
    return refused(
      asking,
      'not_ready',
      'nothing there waits for a person',
      'todone triage shows what does',
      chosen[0] && (idOf(scene, chosen[0].task) ?? chosen[0].task),
    );
  return written(asking, [...headings, ...edits], {
    message: `approved ${[chosen.length > 0 ? `${chosen.length} task${chosen.length === 1 ? '' : 's'}` : '', headings.length > 0 ? `${headings.length} heading${headings.length === 1 ? '' : 's'}` : ''].filter((part) => part !== '').join(' and ')}`,
    shape: 'tasks',
    ids: chosen.flatMap(({ task }) => idOf(scene, task) ?? []),
    titles: chosen.filter(({ task }) => idOf(scene, task) === undefined).map(({ task }) => ({ section: task.section, title: task.title })),
  });
}

function* waitingIn(scene: Scene, section: string | undefined, lane: string | undefined): Generator<Located> {
  for (const [sectionIndex, each] of scene.board.sections.entries()) {
    if (each.name === undefined || (section !== undefined && each.name !== section)) continue;
    for (const [taskIndex, task] of each.tasks.entries()) {
      if (task.marker.state !== 'open' && task.marker.state !== 'blocked') continue;
      if (laneOf(task) === (lane ?? 'triage')) yield { task, sectionIndex, taskIndex };
    }
  }
}

/** The lane's tag is deleted; where it is handed down, the line says that it is safe. */
function approveEdits({ task }: Located, answer: string | undefined): Edit[] {
  const lane = laneOf(task);
  if (lane === 'safe') return [];
  const target = targetOf(task);
  const own = task.tags.some((tag) => (LANES as readonly string[]).includes(canonicalKey(tag.key)));
  const open: Edit = own ? { kind: 'removeTag', target, key: lane } : { kind: 'addTag', target, key: 'safe' };
  return answer === undefined ? [open] : [{ kind: 'note', target, text: `answer: ${answer}` }, open];
}

const gates = (tags: readonly Tag[]): boolean => tags.some((tag) => tag.key === 'approval');

function headingEdits(scene: Scene, section: string | undefined, group: string | undefined): Edit[] {
  const edits: Edit[] = [];
  for (const each of scene.board.sections) {
    if (section !== undefined && each.name !== section) continue;
    if ((group === undefined || group === each.name || group === each.title) && gates(each.tags))
      edits.push({ kind: 'untagHeading', sectionTitle: each.title, key: 'approval' });
    for (const phase of each.phases)
      if ((group === undefined || phase.title === group || each.name === group) && gates(phase.tags))
        edits.push({ kind: 'untagHeading', sectionTitle: each.title, phase: phase.title, key: 'approval' });
  }
  return edits;
}
