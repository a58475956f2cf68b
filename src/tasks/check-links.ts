/**
 * What tasks say about each other: ids that are there twice, ids that nobody has, and cycles (1.4-R9, 6.3-R1).
 * Never decides whether a task may start: only whether its links make sense.
 */
import type { CheckContext } from './check.ts';
import { afterOf, allWithId, placeOf } from './find.ts';
import { idsOn } from './ids.ts';
import type { Board, Located, Problem, Section } from './task.ts';

export function links(board: Board, context: CheckContext): readonly Problem[] {
  const doubled = ownersOfDoubled(board, context);
  const ownerOf: OwnerOf = (id) => doubled.get(id)?.owner ?? allWithId(board, id)[0];
  return [...doubledIds(board, doubled), ...unknownIds(board, context, ownerOf), ...cycles(board, ownerOf)];
}

/** The task that an id means. */
type OwnerOf = (id: string) => Located | undefined;

/** What a section's tasks wait for: worked out once per section. */
type Waits = { readonly waits: readonly { readonly taskIndex: number; readonly words: readonly string[] }[]; readonly hasSubtasks: boolean };
const known = new WeakMap<Section, Waits>();

function waitsOf(section: Section): Waits {
  const before = known.get(section);
  if (before) return before;
  const waits: { taskIndex: number; words: readonly string[] }[] = [];
  let hasSubtasks = false;
  section.tasks.forEach((task, taskIndex) => {
    hasSubtasks ||= task.parent !== undefined;
    if (task.marker.state === 'done' || task.marker.state === 'cancelled') return;
    const words = afterOf(task);
    if (words.length > 0) waits.push({ taskIndex, words });
  });
  const found = { waits, hasSubtasks };
  known.set(section, found);
  return found;
}

// ── ids ──────────────────────────────────────────────────────────────────────────────────────────

type Doubled = { readonly owner: Located; readonly others: readonly Located[] };

function ownersOfDoubled(board: Board, context: CheckContext): ReadonlyMap<string, Doubled> {
  const found = new Map<string, Doubled>();
  for (const id of idsOn(board).doubled) {
    const tasks = allWithId(board, id);
    const owner = tasks.find(({ task }) => context.owns?.(id, task) === true) ?? tasks[0]!;
    found.set(id, { owner, others: tasks.filter((located) => located !== owner) });
  }
  return found;
}

function doubledIds(board: Board, doubled: ReadonlyMap<string, Doubled>): readonly Problem[] {
  return [...doubled].flatMap(([id, { owner, others }]) =>
    others.map((located) =>
      problem(
        board,
        located,
        [located],
        '1.4-R9',
        `The id ${id} is also on line ${placeOf(board, owner).line}, which keeps it.`,
        'Take the id off this line (write [] for a task that is to run), or delete the copy.',
      ),
    ),
  );
}

function unknownIds(board: Board, context: CheckContext, ownerOf: OwnerOf): readonly Problem[] {
  const problems: Problem[] = [];
  board.sections.forEach((section, sectionIndex) => {
    for (const { taskIndex, words } of waitsOf(section).waits) {
      const unknown = words.filter((word) => ownerOf(word) === undefined && context.stateOf(word) === undefined);
      if (unknown.length === 0) continue;
      const located = { task: section.tasks[taskIndex]!, sectionIndex, taskIndex };
      const one = unknown.length === 1;
      problems.push(
        problem(
          board,
          located,
          [located],
          '1.4-R9',
          `{after:…} names ${unknown.map((word) => `"${word}"`).join(' and ')}, but no task has ${one ? 'that id' : 'those ids'}.`,
          `Correct ${one ? 'it' : 'them'}, give the task that is meant {id:${unknown[0]}}, or take ${one ? 'it' : 'them'} out of {after}.`,
        ),
      );
    }
  });
  return problems;
}

function problem(board: Board, located: Located, holds: readonly Located[], rule: string, message: string, remedy: string): Problem {
  return { place: placeOf(board, located), rule, severity: 'error', message, remedy, holds };
}

// ── cycles ───────────────────────────────────────────────────────────────────────────────────────

/** A task waits for what it names in `after`, and a parent for its subtasks. */
function cycles(board: Board, ownerOf: OwnerOf): readonly Problem[] {
  const graph = graphOf(board, ownerOf);
  return stronglyConnected(graph).map((group) => {
    const path = pathThrough(group, graph);
    const holds = [...group]
      .map((node) => graph.tasks.get(node)!)
      .sort((one, other) => one.sectionIndex - other.sectionIndex || one.taskIndex - other.taskIndex);
    const names = path.slice(0, SHOWN_NODES_MAX).map((node) => nameOf(graph.tasks.get(node)!));
    const shown = [...names, ...(path.length > names.length ? ['…'] : []), names[0]].join(' → ');
    return problem(board, holds[0]!, holds, '6.3-R1', `These tasks wait for each other, so none can start: ${shown}.`, 'Take one of them out of an {after}.');
  });
}

type Graph = { readonly edges: ReadonlyMap<string, readonly string[]>; readonly tasks: ReadonlyMap<string, Located> };

function graphOf(board: Board, ownerOf: OwnerOf): Graph {
  const edges = new Map<string, string[]>();
  const tasks = new Map<string, Located>();
  const nodeOf = (located: Located) => {
    const node = `${located.sectionIndex} ${located.taskIndex}`;
    if (!tasks.has(node)) tasks.set(node, located);
    return node;
  };
  const join = (from: Located, to: Located) => {
    const node = nodeOf(from);
    const list = edges.get(node);
    if (list) list.push(nodeOf(to));
    else edges.set(node, [nodeOf(to)]);
  };
  board.sections.forEach((section, sectionIndex) => {
    const { waits, hasSubtasks } = waitsOf(section);
    for (const { taskIndex, words } of waits) {
      const from = { task: section.tasks[taskIndex]!, sectionIndex, taskIndex };
      for (const word of words) {
        const to = ownerOf(word);
        if (to && isUnfinished(to)) join(from, to);
      }
    }
    if (!hasSubtasks) return;
    section.tasks.forEach((task, taskIndex) => {
      const child = { task, sectionIndex, taskIndex };
      if (task.parent !== undefined && isUnfinished(child)) join({ task: section.tasks[task.parent]!, sectionIndex, taskIndex: task.parent }, child);
    });
  });
  return { edges, tasks };
}

function isUnfinished({ task: { marker } }: Located): boolean {
  return marker.state !== 'done' && marker.state !== 'cancelled';
}

/** Tarjan's algorithm with a stack of its own: chains of any length. Only groups that are cycles. */
function stronglyConnected({ edges }: Graph): ReadonlySet<string>[] {
  const groups: Set<string>[] = [];
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const enter = (node: string) => {
    order.set(node, order.size);
    low.set(node, order.get(node)!);
    stack.push(node);
    onStack.add(node);
  };
  const leave = (node: string) => {
    if (low.get(node) !== order.get(node)) return;
    const group = new Set<string>();
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      onStack.delete(top);
      group.add(top);
      if (top === node) break;
    }
    if (group.size > 1 || edges.get(node)?.includes(node)) groups.push(group);
  };
  for (const root of edges.keys()) {
    if (order.has(root)) continue;
    const calls = [{ node: root, next: 0 }];
    enter(root);
    while (calls.length > 0) {
      const call = calls.at(-1)!;
      const to = edges.get(call.node)?.[call.next++];
      if (to === undefined) {
        leave(call.node);
        calls.pop();
        const above = calls.at(-1);
        if (above) low.set(above.node, Math.min(low.get(above.node)!, low.get(call.node)!));
      } else if (!order.has(to)) {
        enter(to);
        calls.push({ node: to, next: 0 });
      } else if (onStack.has(to)) low.set(call.node, Math.min(low.get(call.node)!, order.get(to)!));
    }
  }
  return groups;
}

/** One way round the cycle, from its first node, by the shortest path back to it. */
function pathThrough(group: ReadonlySet<string>, { edges }: Graph): readonly string[] {
  const [start] = [...group].sort(byPlace);
  const from = new Map<string, string>();
  const queue = [start!];
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at]!;
    for (const to of edges.get(node) ?? []) {
      if (to === start) return backTo(start, node, from);
      if (!group.has(to) || from.has(to)) continue;
      from.set(to, node);
      queue.push(to);
    }
  }
  return [start!];
}

function backTo(start: string, last: string, from: ReadonlyMap<string, string>): readonly string[] {
  const path = [last];
  while (path.at(-1) !== start) path.push(from.get(path.at(-1)!)!);
  return path.reverse();
}

function byPlace(one: string, other: string): number {
  const [section = 0, task = 0] = one.split(' ').map(Number);
  const [otherSection = 0, otherTask = 0] = other.split(' ').map(Number);
  return section - otherSection || task - otherTask;
}

const SHOWN_UNITS_MAX = 40;
const SHOWN_NODES_MAX = 20;

function nameOf({ task }: Located): string {
  const name = task.name ?? task.marker.id;
  if (name !== undefined) return name;
  return `"${task.title.length > SHOWN_UNITS_MAX ? `${task.title.slice(0, SHOWN_UNITS_MAX - 1)}…` : task.title}"`;
}
