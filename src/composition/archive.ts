/**
 * `todone archive` (6.5-R1), carried out by the owner of the list: first the archive, then the list; back the other way round. What is
 * under way stands in a file beside the journal, so that after a crash in between each task is in exactly one of the two again.
 */
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { changeArchiveFile, readArchiveFile } from '../adapters/archive-file.ts';
import { exec } from '../adapters/exec.ts';
import { type Git, gitEnvironment } from '../adapters/git.ts';
import { readGitFacts } from '../adapters/git-facts.ts';
import { openJournalReadOnly } from '../adapters/journal-reader.ts';
import { excludeInInfo } from '../adapters/repo.ts';
import { openSections } from '../adapters/sections.ts';
import type { Engine } from '../engine/engine.ts';
import { ListRefused, type Clock } from '../engine/ports.ts';
import { type ArchivePlan, planArchive } from '../runs/archive.ts';
import type { Scene } from '../runs/choose.ts';
import { resolve } from '../runs/resolve.ts';
import { draftOf } from '../runs/world.ts';
import { type Archived, archiveHead, backEdits, readArchive, withEntries, withoutEntries } from '../tasks/archive.ts';
import { blockOf, summaryOf } from '../tasks/edit-block.ts';
import { findById, handleOf, placeOf } from '../tasks/find.ts';
import { hashText } from '../tasks/hash.ts';
import type { Board, Edit, Located, Task } from '../tasks/task.ts';
import type { CliFailure } from '../surfaces/cli/failure.ts';
import type { ArchiveDone, ArchivedTask, ArchiveInput } from '../surfaces/cli/upkeep.ts';
import { archivePathOf, type Place } from './place.ts';

export type ArchiveOptions = { readonly place: Place; readonly clock: Clock };

// ── what would be done ───────────────────────────────────────────────────────────────────────────

/** The plan, with the time that each task was done at: from the journal, else from its commit. */
export async function archivePlan({ place, clock }: ArchiveOptions, git: Git, scene: Scene, input: ArchiveInput): Promise<ArchivePlan | CliFailure> {
  const only: Located[] = [];
  for (const name of input.tasks) {
    const located = resolve(scene, name);
    if (!located) return unknown(name, 'todone task list shows every task with its id or handle');
    only.push(located);
  }
  if (input.section !== undefined && !scene.board.sections.some(({ name }) => name === input.section))
    return { kind: 'failure', code: 2, message: `no section is called ${input.section}`, remedy: 'todone status shows every section' };
  const doneAt = await timesOf(place, git, scene);
  const run = `${clock.now().toString(36)}${process.pid.toString(36)}`;
  return planArchive(scene, { olderThan: input.olderThan, section: input.section, ...(only.length > 0 && { only }), doneAt, run });
}

const unknown = (name: string, remedy: string): CliFailure => ({ kind: 'failure', code: 2, message: `no task is called ${name}`, remedy });

async function timesOf(place: Place, git: Git, scene: Scene): Promise<(task: Task, id: string | undefined) => number | undefined> {
  const times = new Map<string, number>();
  const { commits } = await readGitFacts(git, openSections({ git, branchPrefix: place.config.branchPrefix, base: place.config.base }));
  for (const { id, at } of commits.toReversed()) times.set(id, at);
  for (const known of scene.draft.world.known.values()) if (known.state === 'done' && !times.has(known.id)) times.set(known.id, known.updatedAt);
  const journal = openJournalReadOnly({ stateDir: place.stateDir });
  try {
    for (const row of journal.historySince(0)) if (row.field === 'state' && row.new === 'done') times.set(row.id, row.at);
  } finally {
    journal.close();
  }
  return (task, id) => times.get(id ?? '') ?? times.get(handleOf(task));
}

export function planned(plan: ArchivePlan, board: Board): ArchiveDone {
  const tasks = plan.leaving.map(({ located, id }) => shown(board, located, id));
  return { what: 'archived', done: false, tasks, staying: plan.staying.map(({ located, why }) => ({ ...shown(board, located, undefined), why })) };
}

const shown = (board: Board, located: Located, id: string | undefined): ArchivedTask => ({
  id: id ?? located.task.marker.id ?? null,
  section: located.task.section,
  title: located.task.title,
  line: placeOf(board, located).line,
});

// ── to the archive ───────────────────────────────────────────────────────────────────────────────

type Opened = { readonly engine: Engine; readonly git: Git };

export async function archiveTasks(options: ArchiveOptions, { engine, git }: Opened, input: ArchiveInput, by: string): Promise<ArchiveDone | CliFailure> {
  const { place } = options;
  return refusals(async () => {
    await recover(place, engine);
    const scene = await sceneNow(options, engine, by);
    if ('kind' in scene) return scene;
    const plan = await archivePlan(options, git, scene, input);
    if ('kind' in plan) return plan;
    const { leaving } = plan;
    const what = planned(plan, scene.board);
    if (leaving.length === 0) return { ...what, done: true };
    const path = archivePathOf(place);
    const entries = leaving.map(({ entry }) => entry);
    await keepOutOfGit(place, path);
    const copies = new Map(entries.map((entry) => [keyOf(entry), copiesOn(scene.board, entry) - entries.filter(same(entry)).length]));
    begin(place, copies);
    await changeArchiveFile(path, (text) => withEntries(text === '' ? archiveHead(place.listName) : text, missing(text, entries)));
    const summaries = summaryEdits(readArchive((await readArchiveFile(path)) ?? ''), scene.board, new Set(entries.map(({ section }) => section)), {
      make: input.summary,
      name: path.slice(path.lastIndexOf('/') + 1),
    });
    const ids = leaving.map(({ id, located }) => id ?? handleOf(located.task));
    const answer = await engine.ask({ kind: 'archive', edits: [...leaving.map(({ edit }) => edit), ...summaries], ids, archived: true }, by, 'cli');
    const left = await settle(place, engine, copies);
    const stayed = leaving.filter(({ entry }) => left.some((each) => keyOf(each) === keyOf(entry)));
    if (stayed.length > 0) {
      const back = stayed.map(({ id, located }) => id ?? handleOf(located.task));
      await engine.ask({ kind: 'archive', edits: [], ids: back, archived: false }, by, 'cli');
    }
    if (stayed.length === leaving.length && answer.kind !== 'ok') return { kind: 'failure', code: 3, message: answer.message, remedy: answer.remedy };
    const gone = leaving.filter((each) => !stayed.includes(each));
    return {
      ...what,
      done: true,
      tasks: gone.map(({ located, id }) => shown(scene.board, located, id)),
      staying: [...what.staying, ...stayed.map(({ located, id }) => ({ ...shown(scene.board, located, id), why: 'its lines were changed in this moment' }))],
    };
  });
}

/** A list that git does not follow has an archive that git does not show. */
async function keepOutOfGit(place: Place, path: string): Promise<void> {
  const tracked = await exec('git', ['ls-files', '--error-unmatch', '--', place.listName], {
    cwd: place.repo.top,
    env: gitEnvironment(process.env, place.repo.top),
  });
  if (tracked.code !== 0) excludeInInfo(place.repo.commonDir, [`/${path.slice(place.repo.top.length + 1)}`]);
}

// ── and back ─────────────────────────────────────────────────────────────────────────────────────

/** Without names, all that were archived last. */
export async function unarchiveTasks(options: ArchiveOptions, { engine }: Opened, input: ArchiveInput, by: string): Promise<ArchiveDone | CliFailure> {
  const { place } = options;
  return refusals(async () => {
    await recover(place, engine);
    const scene = await sceneNow(options, engine, by);
    if ('kind' in scene) return scene;
    const all = readArchive((await readArchiveFile(archivePathOf(place))) ?? '');
    const wanted = chosen(all, input);
    if ('kind' in wanted) return wanted;
    if (wanted.length === 0) return cameBack([]);
    const copies = new Map(wanted.map((entry) => [keyOf(entry), copiesOn(scene.board, entry)]));
    begin(place, copies);
    const left = all.filter((entry) => !wanted.includes(entry));
    const summaries = summaryEdits(left, scene.board, new Set(wanted.map(({ section }) => section)), { make: false, name: '' });
    const ids = wanted.map((entry) => entry.ids[0] ?? '').filter((id) => id !== '');
    const answer = await engine.ask({ kind: 'archive', edits: [...backEdits(wanted), ...summaries], ids, archived: false }, by, 'cli');
    const back = await settle(place, engine, copies);
    const failed = wanted.filter((entry) => !back.some((each) => keyOf(each) === keyOf(entry)));
    if (failed.length > 0) {
      await engine.ask({ kind: 'archive', edits: [], ids: failed.flatMap((entry) => entry.ids[0] ?? []), archived: true }, by, 'cli');
      if (answer.kind !== 'ok') return { kind: 'failure', code: 3, message: answer.message, remedy: answer.remedy };
    }
    return cameBack(wanted.filter((entry) => !failed.includes(entry)));
  });
}

const cameBack = (found: readonly Archived[]): ArchiveDone => ({ what: 'unarchived', done: true, tasks: found.map(told), staying: [] });

function chosen(all: readonly Archived[], { tasks, section }: ArchiveInput): readonly Archived[] | CliFailure {
  const here = section === undefined ? all : all.filter((entry) => entry.section === section);
  if (tasks.length === 0) {
    const last = here.at(-1)?.run;
    return here.filter(({ run }) => run === last);
  }
  const wanted = new Set<Archived>();
  for (const name of tasks) {
    const found = here.findLast(({ ids }) => ids.includes(name));
    if (!found) return unknown(`${name} in the archive`, 'look into the archive: it is a text; a task is named by its id or its {id:…}');
    wanted.add(found);
  }
  return here.filter((entry) => wanted.has(entry));
}

const told = ({ ids, section, text }: Archived): ArchivedTask => ({
  id: ids[0] ?? null,
  section,
  title: (text.split(/[\r\n]/, 1)[0] ?? '').replace(/^\s*(?:[-*+]|\d{1,9}[.)])?\s*\\?\[[^\]]*\]\s*/, ''),
  line: null,
});

// ── one line for each section ────────────────────────────────────────────────────────────────────

function summaryEdits(
  archive: readonly Archived[],
  board: Board,
  sections: ReadonlySet<string>,
  how: { readonly make: boolean; readonly name: string },
): Edit[] {
  return [...sections].flatMap((section): Edit[] => {
    const index = board.sections.findIndex(({ name }) => name === section);
    const text = index < 0 ? '' : board.text.slice(board.starts[index], board.starts[index]! + board.sections[index]!.length);
    const line = summaryOf(text);
    if (!line && !how.make) return [];
    const here = archive.filter((entry) => entry.section === section);
    if (here.length === 0) return [{ kind: 'summarize', section }];
    const last = Math.max(...here.map(({ done, at }) => done ?? at));
    const name = how.name === '' ? (/\(([^)]*)\)\s*$/.exec(text.slice(line?.start, line?.end))?.[1] ?? '') : how.name;
    const words = `${here.length} done ${here.length === 1 ? 'task' : 'tasks'}, the last of ${new Date(last).toISOString().slice(0, 10)} (${name})`;
    return [{ kind: 'summarize', section, words }];
  });
}

// ── in one of the two, and in one only ───────────────────────────────────────────────────────────

type Entry = Pick<Archived, 'run' | 'section' | 'offset' | 'ids' | 'text'>;

const keyOf = ({ run, section, offset, text }: Entry): string => hashText(JSON.stringify([run, section, offset, text]));

const same =
  (one: Entry) =>
  (other: Entry): boolean =>
    one.section === other.section && one.text === other.text;

/** A person may have saved the archive in between: what is in it already is not put in again. */
function missing<E extends Entry>(archive: string, entries: readonly E[]): readonly E[] {
  const there = new Set(readArchive(archive).map(keyOf));
  return entries.filter((entry) => !there.has(keyOf(entry)));
}

function copiesOn(board: Board, entry: Entry): number {
  let count = 0;
  for (const [sectionIndex, section] of board.sections.entries()) {
    if (section.name !== entry.section) continue;
    for (const [taskIndex, task] of section.tasks.entries())
      if (task.marker.state === 'done' && blockOf(board, { task, sectionIndex, taskIndex }).text.trim() === entry.text.trim()) count++;
  }
  return count;
}

/** Whether the list has it; one without an id by how often the list would have such lines without it. */
const isOn = (board: Board, entry: Entry, without: number): boolean =>
  entry.ids.length > 0 ? entry.ids.some((id) => findById(board, id) !== undefined) : copiesOn(board, entry) > without;

/** Takes out of the archive what the list has; gives those. */
async function settle(place: Place, engine: Engine, copies: ReadonlyMap<string, number>): Promise<readonly Archived[]> {
  const { board } = engine.now();
  let out: readonly Archived[] = [];
  if (!board) return out;
  await changeArchiveFile(archivePathOf(place), (text) => {
    out = readArchive(text).filter((entry) => {
      const without = copies.get(keyOf(entry));
      return without !== undefined && isOn(board, entry, without);
    });
    return withoutEntries(text, out);
  });
  rmSync(pendingPath(place), { force: true });
  return out;
}

const pendingPath = (place: Place): string => join(place.stateDir, 'archiving.json');
const pendingSchema = z.object({ version: z.literal(1), copies: z.array(z.tuple([z.string(), z.number()])) });

function begin(place: Place, copies: ReadonlyMap<string, number>): void {
  const fd = openSync(pendingPath(place), 'w', 0o600);
  try {
    writeSync(fd, JSON.stringify({ version: 1, copies: [...copies] }));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What a crash left between archive and list. */
async function recover(place: Place, engine: Engine): Promise<void> {
  let pending: z.output<typeof pendingSchema>;
  try {
    pending = pendingSchema.parse(JSON.parse(readFileSync(pendingPath(place), 'utf8')));
  } catch {
    return;
  }
  await engine.look();
  await settle(place, engine, new Map(pending.copies));
}

// ── the owner's picture ──────────────────────────────────────────────────────────────────────────

async function sceneNow({ place, clock }: ArchiveOptions, engine: Engine, by: string): Promise<Scene | CliFailure> {
  await engine.look();
  const { board, problems, world } = engine.now();
  if (!board || world.list.kind !== 'fine')
    return { kind: 'failure', code: 3, message: 'the list cannot be believed now: nothing was archived', remedy: 'todone status says why; do it again then' };
  return { board, draft: draftOf(world), config: place.config, now: clock.now(), problems, instance: by };
}

/** What the system refuses becomes words for a person. */
async function refusals(work: () => Promise<ArchiveDone | CliFailure>): Promise<ArchiveDone | CliFailure> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ListRefused) return { kind: 'failure', code: 3, message: error.message, remedy: error.remedy };
    if (error instanceof TypeError && error.message.includes('encoded data'))
      return { kind: 'failure', code: 3, message: 'the archive is no UTF-8 text; nothing was changed', remedy: 'save it as UTF-8, then do it again' };
    throw error;
  }
}
