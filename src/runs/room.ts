/**
 * Room for one more run (3-R3): the caps of machine, section, agent, model, account and worker, and the workspace that a run
 * gets. Counts runs that work; one that only waits for its line to be written has left its workspace.
 */
import { accountOf } from './govern.ts';
import { ALL, takenOf } from './sharing.ts';
import type { Config } from '../config.ts';
import type { Task } from '../tasks/task.ts';
import { priorityOf, tagValue } from '../tasks/find.ts';
import type { Scene, Why } from './choose.ts';
import type { Run } from './run.ts';
import { type Draft, runsIn } from './world.ts';

/** How many work, by what they take a place of: `section x`, `agent claude`… */
export type Room = { readonly taken: Map<string, number>; total: number };

/** Who would take a place. */
export type Taker = { readonly task: Task; readonly agent: string; readonly model: string | undefined };

/** One that only waits for its line has left its workspace; one from outside never had one. */
export const occupies = (run: Run): boolean => run.step !== 'settle' && run.outside === undefined;

type Occupied = Pick<Scene, 'draft' | 'config' | 'instance' | 'assumed'>;

/** What is taken now; nothing where the runs are taken as done, for the waves of a dry run. */
export function roomOf(scene: Occupied): Room {
  const room: Room = { taken: new Map(), total: 0 };
  if (scene.assumed) return room;
  for (const run of runsIn(scene.draft)) {
    if (!occupies(run)) continue;
    const owner = run.task.tags.find((tag) => tag.startsWith(OWNER))?.slice(OWNER.length) ?? scene.instance;
    fill(room, keysOf(scene, { section: run.section, agent: run.agent, model: run.model, owner }));
  }
  return room;
}

const OWNER = 'owner:';
/** The keys of what no other project shares. */
export const SECTION = 'section ';

/** Why there is no place for it; undefined = there is. */
export function noRoom(scene: Scene, room: Room, taker: Taker): Why | undefined {
  const { config } = scene;
  if (room.total >= config.maxAgents)
    return capWhy(`all ${config.maxAgents} places for agents are taken`, 'wait for one of them, or raise maxAgents in the config');
  for (const [key, cap] of capsFor(scene, taker, { caps: config.caps, parallel: parallelOf(taker.task, config) })) {
    if (cap.most !== undefined && (room.taken.get(key) ?? 0) >= cap.most)
      return capWhy(`all ${cap.most} places of ${cap.what} are taken`, `wait for one of them, or raise ${cap.where}`);
  }
  return undefined;
}

/** The cap over all projects that leaves no place for it, and why; undefined = there is one. */
export function noCommonRoom(scene: Scene, room: Room, taker: Taker): { readonly key: string; readonly why: Why } | undefined {
  const { common } = scene;
  if (!common || scene.assumed) return undefined;
  const priority = priorityOf(taker.task);
  const { maxAgents, caps } = common;
  const all: Cap = { most: maxAgents, what: 'agents', where: "maxAgents in the user's config" };
  for (const [key, cap] of [[ALL, all] as const, ...capsFor(scene, taker, { caps })]) {
    const ours = key === ALL ? room.total : (room.taken.get(key) ?? 0);
    if (cap.most === undefined || takenOf(common, key, priority, ours) < cap.most) continue;
    const where = key === ALL ? cap.where : cap.where.replace('in the config', "in the user's config");
    return { key, why: capWhy(`all ${cap.most} places of ${cap.what} over all projects are taken or waited for`, `wait for one of them, or raise ${where}`) };
  }
  return undefined;
}

export function takeRoom(scene: Scene, room: Room, taker: Taker): void {
  fill(room, keysOf(scene, { section: taker.task.section, agent: taker.agent, model: taker.model, owner: ownerOf(scene, taker.task) }));
}

/** The most tasks of its section that may run beside a task and with it: the nearest `{parallel:n}` above it, else the config's. */
export function parallelOf(task: Task, config: Config): number | undefined {
  const tag = task.inherited.find(({ key }) => key === 'parallel')?.value;
  return tag !== undefined && /^[1-9]\d{0,3}$/.test(tag) ? Number(tag) : config.parallel;
}

/** The lowest workspace of the section that no run is in, and that no person was found at work in (4-R3). */
export function freeSlot(draft: Draft, section: string, now: number): number {
  const taken = new Set<number>();
  for (const run of runsIn(draft)) if (run.section === section && occupies(run)) taken.add(run.workspaceSlot);
  for (let slot = 1; ; slot++) if (!taken.has(slot) && !isPersons(draft, section, slot, now)) return slot;
}

/** A person was found at work in this workspace a short while ago. */
export function isPersons(draft: Draft, section: string, slot: number, now: number): boolean {
  return (draft.world.busySlots.get(slotKey(section, slot)) ?? 0) > now;
}

export const slotKey = (section: string, slot: number): string => `${section}~${slot}`;

type Taken = { readonly section: string; readonly agent: string; readonly model: string | undefined; readonly owner: string };
type Cap = { readonly most: number | undefined; readonly what: string; readonly where: string };

function fill(room: Room, keys: readonly string[]): void {
  room.total++;
  for (const key of keys) room.taken.set(key, (room.taken.get(key) ?? 0) + 1);
}

function keysOf(scene: Pick<Scene, 'config'>, { section, agent, model, owner }: Taken): string[] {
  return [
    SECTION + section,
    `agent ${agent}`,
    ...(model === undefined ? [] : [`model ${model}`]),
    `account ${accountOf(scene.config, agent)}`,
    `worker ${owner}`,
  ];
}

type Caps = { readonly caps: Config['caps']; readonly parallel?: number };

function* capsFor(scene: Scene, { task, agent, model }: Taker, { caps, parallel }: Caps): Generator<[string, Cap]> {
  const { config } = scene;
  const { section } = task;
  yield [SECTION + section, { most: parallel, what: `section ${section}`, where: `{parallel:…} on its heading, or parallel in the config` }];
  yield [`agent ${agent}`, { most: own(caps.agents, agent), what: `agent ${agent}`, where: `caps.agents.${agent} in the config` }];
  if (model !== undefined) {
    const name = Object.keys(caps.models).find((each) => each === model || own(config.models, each) === model);
    yield [`model ${model}`, { most: name === undefined ? undefined : caps.models[name], what: `model ${model}`, where: `caps.models.${name} in the config` }];
  }
  const account = accountOf(scene.config, agent);
  yield [`account ${account}`, { most: own(caps.accounts, account), what: `account ${account}`, where: `caps.accounts.${account} in the config` }];
  const owner = ownerOf(scene, task);
  yield [`worker ${owner}`, { most: own(caps.owners, owner), what: `worker ${owner}`, where: `caps.owners.${owner} in the config` }];
}

function ownerOf(scene: Scene, task: Task): string {
  const owner = tagValue(task, 'owner');
  return typeof owner === 'string' ? owner : scene.instance;
}

function own<T>(of: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(of, key) ? of[key] : undefined;
}

const capWhy = (message: string, remedy: string): Why => ({ rule: '3-R3', code: 'cap', message, remedy });
