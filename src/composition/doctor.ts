/**
 * What `doctor` looks at: git, the repository, the list, the config, agents, file system, owner, disk; each with what was found and what
 * to do. Works where nothing else does. Changes something only with `--fix`, and only what loses nothing.
 */
import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { agentTable, listAgents, versionsOf } from '../adapters/agents/table.ts';
import { describeConfigProblem, userFolder } from '../adapters/config-file.ts';
import { exchange } from '../adapters/exchange.ts';
import { openJournalReadOnly } from '../adapters/journal-reader.ts';
import { ownerInfo } from '../adapters/owner.ts';
import { loadPrompts } from '../adapters/prompts.ts';
import { excludeInInfo, openRepo } from '../adapters/repo.ts';
import { repoFeatures } from '../adapters/repo-features.ts';
import { snapshotBytes } from '../adapters/snapshot-prune.ts';
import { openSandbox } from '../adapters/sandbox/sandbox.ts';
import { allStuck, type Stuck } from '../runs/stuck.ts';
import { draftOf, worldOf } from '../runs/world.ts';
import { ownFolders } from './mcp.ts';
import type { Check, DoctorFacts, EffectiveValue, Globals } from '../surfaces/cli/app.ts';
import { startFailure, usableList } from './app.ts';
import { weaknesses } from './file-systems.ts';
import { makeStateDir, openPlace, type Place } from './place.ts';
import { findProjects, missingProject } from './projects.ts';
import { sceneOf } from './scene.ts';
import { turns } from './turns.ts';
import { withGit } from './with-git.ts';

export async function doctor(globals: Globals, cwd: string, fix: boolean): Promise<DoctorFacts> {
  const repo = await openRepo(join(cwd, globals.repo ?? '.'));
  if ('problem' in repo) return { checks: [{ name: 'repository', ok: false, found: repo.message, remedy: repo.remedy }], config: [] };
  const checks: Check[] = [{ name: 'git', ok: true, found: `git ${repo.gitVersion}, ${repo.top}` }];
  const place = await openPlace({ cwd, env: process.env, repo: globals.repo, tasks: globals.tasks, config: globals.config, overrides: globals.overrides });
  if ('kind' in place) return { checks: [...checks, { name: 'config', ok: false, found: place.message, remedy: place.remedy }], config: [] };
  if (fix) makeStateDir(place);
  checks.push(
    identity(place),
    ...(await features(place)),
    config(place),
    ...list(place),
    ...(await agents(place)),
    ...prompts(place),
    excluded(place, fix),
    fileSystem(place),
    ...fileSystems(place),
    await sandbox(place),
    owner(place),
    ...(await projects(place)),
    ...(await disk(place)),
  );
  return { checks, config: effective(place) };
}

function identity(place: Place): Check {
  const { name, email, fallback } = place.repo.identity;
  if (fallback)
    return {
      name: 'identity',
      ok: 'warn',
      found: `git has no identity here: commits are by ${name} <${email}>`,
      remedy: 'git config --global user.name "…" and user.email "…"',
    };
  return { name: 'identity', ok: true, found: `${name} <${email}>${place.repo.signs ? ', commits are signed' : ''}` };
}

/** What is kept as the base has it, and what a workspace does without. */
async function features(place: Place): Promise<Check[]> {
  const { submodules, sparse, lfs } = await repoFeatures(place.repo.top);
  const checks: Check[] = [];
  if (submodules.length > 0)
    checks.push({
      name: 'submodules',
      ok: 'warn',
      found: `${submodules.join(', ')}: empty folders in a workspace; what they point to is never changed by a task`,
      remedy: `where tasks need their files, hooks.beforeRun: rm -rf ${submodules.join(' ')} && git submodule update --init (git inside them works without the sandbox only)`,
    });
  if (lfs === 'unset')
    checks.push({ name: 'Git LFS', ok: 'warn', found: '.gitattributes names files for Git LFS, which is not set up here', remedy: 'git lfs install' });
  if (lfs === 'ready') checks.push({ name: 'Git LFS', ok: true, found: 'files go through it as in your own checkout' });
  if (sparse) checks.push({ name: 'sparse checkout', ok: true, found: 'workspaces hold all files; your own checkout stays sparse' });
  return checks;
}

function config(place: Place): Check {
  const { files, problems } = place.loaded;
  if (problems.length > 0) return { name: 'config', ok: false, found: problems.map(describeConfigProblem).join('; '), remedy: 'correct it' };
  return { name: 'config', ok: true, found: files.length === 0 ? 'defaults' : files.join(', ') };
}

function list(place: Place): Check[] {
  const unusable = usableList(place);
  if (unusable) return [{ name: 'list', ok: false, found: unusable.message, remedy: unusable.remedy }];
  const scene = sceneOf(place, [], '', 0);
  const tasks = scene.board.sections.reduce((sum, section) => sum + section.tasks.length, 0);
  const sections = scene.board.sections.filter((section) => section.name !== undefined).length;
  const found: Check = { name: 'list', ok: true, found: `${place.listName}: ${tasks} tasks in ${sections} sections` };
  return [
    found,
    ...scene.problems.map((problem): Check => ({
      name: 'list',
      ok: problem.severity === 'error' ? false : 'warn',
      found: `${place.listName}:${problem.place.line}:${problem.place.column}: ${problem.message} (${problem.rule})`,
      remedy: problem.remedy,
    })),
  ];
}

async function agents(place: Place): Promise<Check[]> {
  const rows = agentTable(place.config);
  const around = { env: process.env, top: place.repo.top };
  const versions = await versionsOf(rows, around);
  const stuck = stuckAgents(place);
  return listAgents(rows, around).map((agent, index): Check => {
    // One that nobody asked for need not be there.
    const isWanted = agent.name === place.config.agent || Object.hasOwn(place.config.agents, agent.name);
    if (!agent.installed)
      return { name: 'agent', ok: isWanted ? 'warn' : true, found: `${agent.name}: not installed`, remedy: isWanted ? agent.problem : undefined };
    const waits = stuck.find((each) => each.agent === agent.name);
    if (waits)
      return { name: 'agent', ok: 'warn', found: `${agent.name} waits for you: ${waits.message}`, remedy: `put that right, then: todone retry ${waits.task}` };
    const version = versions.get(agent.name);
    const what = agent.takes === 'runnable' ? 'built in, for tasks with something to run' : rows[index]?.preview(undefined);
    return { name: 'agent', ok: true, found: `${agent.name}${version === undefined ? '' : ` ${version}`}: ${what}` };
  });
}

/** Those of which the journal says so. */
function stuckAgents(place: Place): readonly Stuck[] {
  const journal = openJournalReadOnly({ stateDir: place.stateDir });
  try {
    return allStuck(draftOf(worldOf(journal.load())), place.config, Date.now());
  } finally {
    journal.close();
  }
}

function prompts(place: Place): Check[] {
  const { problems } = loadPrompts(place.repo.top);
  if (problems.length === 0)
    return [
      { name: 'prompts', ok: true, found: existsSync(join(place.repo.top, 'prompts')) ? "the repository's own, and the packaged ones" : 'the packaged ones' },
    ];
  return problems.map((problem): Check => ({
    name: 'prompts',
    ok: false,
    found: `${problem.file}:${problem.line}: ${problem.message}`,
    remedy: 'correct the template',
  }));
}

function excluded(place: Place, fix: boolean): Check {
  if (fix) excludeInInfo(place.repo.commonDir, [`/${place.config.trees}/`, `/${place.listName}.lock`, '.todone-*']);
  return { name: 'ignored', ok: true, found: `${place.config.trees}/ is ignored through .git/info/exclude from the first start on`, fixed: fix };
}

/** Tried in ToDone's own folder: the exchange that a write of the list rests on. */
function fileSystem(place: Place): Check {
  const folder = mkdtempSync(join(place.repo.commonDir, 'todone-try-'));
  try {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    writeFileSync(one, '1');
    writeFileSync(two, '2');
    const done = exchange(one, two);
    if (done.kind === 'exchanged') return { name: 'file system', ok: true, found: 'files can be exchanged atomically' };
    return {
      name: 'file system',
      ok: 'warn',
      found: `files cannot be exchanged atomically (${done.kind === 'failed' ? done.code : done.why})`,
      remedy: 'keep the list on a local disk; until then a save in the very moment of a write goes to the archive',
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fileSystems(place: Place): Check[] {
  return weaknesses(place).map(({ severity, message, remedy }) => ({
    name: 'file system',
    ok: severity === 'refused' ? false : 'warn',
    found: message,
    remedy,
  }));
}

/** The same look as at a start, in a folder of its own. */
async function sandbox(place: Place): Promise<Check> {
  const stateDir = mkdtempSync(join(place.repo.commonDir, 'todone-try-'));
  try {
    const { found, kind, problem } = await openSandbox({
      config: () => place.config,
      top: place.repo.top,
      commonDir: place.repo.commonDir,
      stateDir,
      list: place.listPath,
      socket: undefined,
      own: ownFolders(),
      env: process.env,
    });
    if (kind === 'bwrap') return { name: 'sandbox', ok: true, found };
    if (problem !== undefined) return { name: 'sandbox', ok: false, found, remedy: problem };
    const remedy = 'agents can then do what you can do; with bubblewrap installed they are confined to their workspace';
    return { name: 'sandbox', ok: 'warn', found, remedy };
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

function owner(place: Place): Check {
  const info = ownerInfo(place.stateDir);
  return { name: 'daemon', ok: true, found: info ? `process ${info.pid} on ${info.host}, since ${new Date(info.since).toISOString()}` : 'none is running' };
}

/** What `--all` works on: the list of the user's own config, and whether each can be opened. Nothing where nobody uses it. */
async function projects(place: Place): Promise<Check[]> {
  const { env } = process;
  if (place.config.projects.length === 0) return [];
  const listed = await findProjects(place.config, env);
  const inTurn = turns(PROJECTS_AT_ONCE);
  const refused = await Promise.all(
    listed.map(({ name, path }) =>
      inTurn(async (): Promise<Check[]> => {
        const found = missingProject(path, env) ?? (await openPlace({ cwd: path, env }));
        const problem = 'kind' in found ? found : startFailure(found);
        return problem ? [{ name: 'project', ok: 'warn', found: `${name}: ${problem.message}`, remedy: problem.remedy }] : [];
      }),
    ),
  );
  const here = listed.some(({ path }) => path === place.repo.top) ? ', this one too' : ', and not this one';
  const source = place.loaded.sources.get('projects');
  const where = source?.kind === 'file' ? `${source.file}:${source.line}` : userFolder(env);
  return [{ name: 'projects', ok: true, found: `${listed.length} listed${here} (${where})` }, ...refused.flat()];
}

const PROJECTS_AT_ONCE = 8;

/** What each kind of thing takes, and what bounds it. */
async function disk(place: Place): Promise<Check[]> {
  const { stateDir } = place;
  const at = (...names: string[]): number => names.reduce((sum, name) => sum + sizeOf(join(stateDir, name), { left: ENTRIES_MAX }), 0);
  const inState = namesIn(stateDir);
  const sizes: [string, number, string][] = [
    ['journal', at(...inState.filter((name) => /\.db(-|\.|$)/.test(name))), 'keep.history'],
    ['logs and folders of runs', at('runs'), 'keep.logs, keep.logBytes'],
    ['versions of the list', at('versions'), 'keep.versions, keep.versionBytes'],
    ['log of the daemon', at(...inState.filter((name) => name.startsWith('daemon.log'))), '40 MiB'],
    ['private git folders', at('git'), 'one index for each worktree'],
  ];
  if (existsSync(stateDir)) {
    const { count, bytes } = await withGit(place, snapshotBytes);
    sizes.push([`${count} snapshots`, bytes, 'keepSnapshots, keep.snapshotBytes']);
  }
  const trees: Entries = { left: ENTRIES_MAX };
  const worktrees = sizeOf(resolve(place.repo.top, place.config.trees), trees);
  sizes.push([trees.left > 0 ? 'worktrees' : 'worktrees, at least', worktrees, 'todone clean']);
  return sizes.map(([what, bytes, bound]) => ({ name: 'disk', ok: true, found: `${what}: ${amount(bytes)} (${bound})` }));
}

const KIB = 1024;
const amount = (bytes: number): string => (bytes < KIB * KIB ? `${Math.ceil(bytes / KIB)} KiB` : `${(bytes / KIB / KIB).toFixed(1)} MiB`);

/** How many entries are looked at: a `node_modules` for each worktree would keep `doctor` busy. */
type Entries = { left: number };
const ENTRIES_MAX = 200_000;

function sizeOf(path: string, entries: Entries): number {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats || entries.left-- <= 0) return 0;
  if (!stats.isDirectory()) return stats.isFile() ? stats.size : 0;
  return namesIn(path).reduce((sum, name) => sum + sizeOf(join(path, name), entries), 0);
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function effective(place: Place): EffectiveValue[] {
  return [...place.loaded.sources].map(([key, source]) => ({
    key,
    value: key
      .split('.')
      .reduce<unknown>((value, part) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[part] : undefined), place.config),
    source: source.kind === 'file' ? `${source.file}:${source.line}` : source.kind,
  }));
}
