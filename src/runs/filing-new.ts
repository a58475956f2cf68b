/**
 * New tasks by request (7-R8): one or many, from words, Markdown or JSON; all of them or none. What a worker or an agent files waits
 * for a person (6.2-R2): it gets an id, `{triage}` and `{by:…}`, and no tag with which it could let itself start.
 */
import { z } from 'zod';
import { allTasks } from '../tasks/find.ts';
import { parse } from '../tasks/parse.ts';
import type { Edit, Located, NewTask, Task } from '../tasks/task.ts';
import { canonicalKey, LANES } from '../tasks/vocabulary.ts';
import { type Asked, type Asking, refused } from './asking.ts';
import { idOf, type Scene, stateOf } from './choose.ts';
import { freshId, namesOf, written } from './filing.ts';
import { type NewTaskInput, newTaskSchema, type RequestInput } from './requests.ts';
import { resolve } from './resolve.ts';

type Wanted = NewTask & { readonly section: string | undefined };

export function create(asking: Asking, input: RequestInput<'task.create'>): Asked {
  const read = input.from === undefined ? { tasks: (input.tasks ?? []).map((task) => wantedOf(asking.scene, task)) } : readFrom(asking.scene, input.from);
  if ('problem' in read) return refused(asking, 'invalid', read.problem, 'nothing was filed; correct it and send it again');
  if (read.tasks.length === 0) return refused(asking, 'invalid', 'there is no task in it', 'a task is a line that begins with []');
  const beside = placeBeside(asking, input);
  if (beside && 'halts' in beside) return beside;
  const edits: Edit[] = [];
  const shown: { section: string; title: string }[] = [];
  const ids: string[] = [];
  const inserts: Edit[] = [];
  for (const [index, wanted] of read.tasks.entries()) {
    const section = beside?.located.task.section ?? wanted.section ?? input.section ?? onlySection(asking.scene);
    const known = section === undefined ? undefined : asking.scene.board.sections.find(({ name }) => name === section);
    if (section === undefined || !known) return noSection(asking, section);
    const raw = input.tasks?.[index]?.after;
    const names = raw === undefined ? [] : namesOf(asking, raw, edits);
    if (!Array.isArray(names)) return names as Asked;
    const task = filed(asking, names.length === 0 ? wanted : { ...wanted, tags: [...wanted.tags, { key: 'after', value: names.join(',') }] });
    const twin = asking.caller.kind === 'person' ? undefined : twinOf(asking.scene, section, task.title);
    if (twin)
      return refused(
        asking,
        'conflict',
        `"${task.title}" is on the list already`,
        `it is ${idOf(asking.scene, twin) ?? 'there'}: work on that one`,
        idOf(asking.scene, twin) ?? twin,
      );
    const id = task.tags.find(({ key }) => key === 'id')?.value;
    if (id === undefined) shown.push({ section, title: task.title });
    else ids.push(id);
    inserts.push({
      kind: 'insert',
      where: beside ? { at: beside.at, target: targetNamed(beside.located) } : { at: 'end', section },
      task,
      together: asking.number,
    });
  }
  // Behind a task each one goes directly behind it: the last first.
  edits.push(...(beside?.at === 'below' ? inserts.reverse() : inserts));
  const count = read.tasks.length;
  return written(asking, edits, { message: count === 1 ? 'filed 1 task' : `filed ${count} tasks`, shape: 'tasks', ids, titles: shown });
}

const targetNamed = ({ task }: Located): { section: string; id?: string; text: string; occurrence: number } => ({
  section: task.section,
  ...(task.marker.id === undefined ? {} : { id: task.marker.id }),
  text: task.text,
  occurrence: task.occurrence,
});

type Beside = { readonly at: 'above' | 'below'; readonly located: Located };

function placeBeside(asking: Asking, input: RequestInput<'task.create'>): Beside | Asked | undefined {
  const name = input.above ?? input.below;
  if (name === undefined) return undefined;
  if (input.above !== undefined && input.below !== undefined) return refused(asking, 'invalid', 'above and below at once', 'name one of them');
  const located = resolve(asking.scene, name);
  if (!located) return refused(asking, 'unknown', `no task is called ${name}`, 'todone task list shows every task with its id or handle');
  return { at: input.above === undefined ? 'below' : 'above', located };
}

function onlySection(scene: Scene): string | undefined {
  const names = scene.board.sections.flatMap(({ name }) => name ?? []);
  return names.length === 1 ? names[0] : undefined;
}

function noSection(asking: Asking, section: string | undefined): Asked {
  const names = asking.scene.board.sections.flatMap(({ name }) => name ?? []);
  const known =
    names.length === 0
      ? 'the list has none yet: write a line "## Git Worktree <name>"'
      : `its sections are: ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`;
  return section === undefined
    ? refused(asking, 'invalid', 'it is not said which section the task belongs to', `name one with --section; ${known}`)
    : refused(asking, 'unknown', `no section is called ${section}`, known);
}

const folded = (text: string): string => text.toLowerCase().replaceAll(/\s+/g, ' ');

/** An unfinished task of the same words: what a worker would file a second time. */
function twinOf(scene: Scene, section: string, title: string): Task | undefined {
  for (const { task } of allTasks(scene.board)) {
    if (task.section !== section || folded(task.title) !== folded(title)) continue;
    const state = stateOf(scene, task);
    if (state !== 'done' && state !== 'cancelled') return task;
  }
  return undefined;
}

// ── who files ────────────────────────────────────────────────────────────────────────────────────

const NOT_FROM_WORKERS: ReadonlySet<string> = new Set([...LANES, 'approval', 'by', 'no-commit', 'redo', 'fresh']);

function filed(asking: Asking, wanted: Wanted): NewTask {
  const { section: _section, ...task } = wanted;
  const { caller } = asking;
  if (caller.kind === 'person') return task;
  const tags = task.tags.filter(({ key }) => !NOT_FROM_WORKERS.has(canonicalKey(key)));
  const id = tags.some(({ key }) => key === 'id') ? [] : [{ key: 'id', value: freshId(asking) }];
  return { ...task, tags: [...id, ...tags, { key: 'triage' }, { key: 'by', value: caller.name }] };
}

// ── what is filed ────────────────────────────────────────────────────────────────────────────────

/** `{tags}` in a title count, as they would on the list. */
function wantedOf(scene: Scene, input: NewTaskInput): Wanted {
  const read = taskIn(scene, input.title);
  const typed = read ? tagsIn(read) : [];
  const more = (input.tags ?? []).flatMap((text) => {
    const [key = '', ...value] = text.replace(/^\{|\}$/g, '').split(':');
    return key === '' ? [] : [{ key: key.toLowerCase(), ...(value.length === 0 ? {} : { value: value.join(':') }) }];
  });
  const priority = input.priority === undefined ? [] : [{ key: `p${input.priority}` }];
  const owner = input.owner === undefined ? [] : [{ key: 'owner', value: input.owner }];
  const own = typed.filter(({ key }) => !(priority.length > 0 && /^p[0-3]$/.test(key)) && !(owner.length > 0 && key === 'owner'));
  return {
    state: input.status ?? 'open',
    title: read?.title ?? input.title,
    tags: [...own, ...priority, ...owner, ...more],
    ...(input.description === undefined ? {} : { details: input.description }),
    section: input.section,
  };
}

function taskIn(scene: Scene, title: string): Task | undefined {
  const { labels, workers } = scene.config;
  const board = parse(`## Git Worktree x\n[] ${title.replaceAll(/\s+/g, ' ')}\n`, { labels, workers });
  return board.sections[0]?.tasks.length === 1 ? board.sections[0].tasks[0] : undefined;
}

const tagsIn = (task: Task): { key: string; value?: string }[] =>
  task.tags.map((tag) => ({ key: tag.key, ...(tag.value === undefined ? {} : { value: tag.value }) }));

type Read = { readonly tasks: readonly Wanted[] } | { readonly problem: string };

function readFrom(scene: Scene, from: NonNullable<RequestInput<'task.create'>['from']>): Read {
  return from.format === 'json' ? readJson(scene, from.text) : readMarkdown(scene, from.text);
}

const jsonForm = z.union([z.array(newTaskSchema), z.object({ tasks: z.array(newTaskSchema) }).transform(({ tasks }) => tasks)]);

function readJson(scene: Scene, text: string): Read {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problem: `it is not JSON: ${error instanceof Error ? error.message : ''}` };
  }
  const read = jsonForm.safeParse(value);
  if (!read.success) return { problem: z.prettifyError(read.error).split('\n')[0] ?? 'it is not a list of tasks' };
  return {
    tasks: read.data.map((task) => {
      const wanted = wantedOf(scene, task);
      return task.after === undefined || task.after.length === 0
        ? wanted
        : { ...wanted, tags: [...wanted.tags, { key: 'after', value: task.after.join(',') }] };
    }),
  };
}

/** A list as a person would type it; its sections say where the tasks go. */
function readMarkdown(scene: Scene, text: string): Read {
  const { labels, workers } = scene.config;
  const begun = /^##[ \t]+git[ \t]+worktree/im.test(text);
  const board = parse(begun ? text : `## Git Worktree x\n${text}`, { labels, workers });
  const tasks: Wanted[] = [];
  for (const section of board.sections) {
    const made: (Wanted & { subtasks: NewTask[] })[] = [];
    for (const [index, task] of section.tasks.entries()) {
      if (task.marker.state !== 'open' && task.marker.state !== 'blocked')
        return { problem: `"${task.title}" is no new task: write [] or [⏰] in front of it` };
      const wanted = {
        state: task.marker.state,
        title: task.title,
        tags: tagsIn(task),
        details: task.details,
        subtasks: [],
        section: begun ? section.name : undefined,
      };
      made[index] = wanted;
      if (task.parent === undefined) tasks.push(wanted);
      else made[task.parent]?.subtasks.push(wanted);
    }
  }
  return { tasks };
}
