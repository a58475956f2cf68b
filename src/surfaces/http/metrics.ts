/**
 * What a monitor asks for, as Prometheus text (9-R4): how many tasks are in which state, how many may be taken, how many wait for a
 * person, and whether a daemon minds the list. Counts what the door tells, and nothing else.
 */
import type { Door } from '../../engine/ports.ts';
import type { Caller } from '../../runs/caller.ts';
import type { RequestName, RequestOutput } from '../../runs/requests.ts';

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** More than a list may have. */
const ALL = 100_000;

/** Undefined where the list cannot be read now. */
export async function metricsText(door: Door, caller: Caller, isOwned: boolean): Promise<string | undefined> {
  const [listed, ready, waiting] = await Promise.all([
    tasksOf(door, 'task.list', {}, caller),
    tasksOf(door, 'task.ready', { limit: ALL }, caller),
    tasksOf(door, 'task.waiting', {}, caller),
  ]);
  if (!listed || !ready || !waiting) return undefined;
  const counts = new Map<string, number>();
  for (const { section, status } of listed) {
    const labels = `{section="${escaped(section ?? '')}",status="${status}"}`;
    counts.set(labels, (counts.get(labels) ?? 0) + 1);
  }
  return [
    ...gauge('todone_tasks', 'Tasks on the list, by section and state.', [...counts]),
    ...gauge('todone_tasks_ready', 'Tasks that a worker without a name of its own may take now.', [['', ready.length]]),
    ...gauge('todone_tasks_waiting', 'Tasks that wait for a person.', [['', waiting.length]]),
    ...gauge('todone_owner_up', 'Whether a daemon minds the list.', [['', isOwned ? 1 : 0]]),
    '',
  ].join('\n');
}

type Listed = RequestOutput<'task.list'>['tasks'];

async function tasksOf(door: Door, request: RequestName, input: object, caller: Caller): Promise<Listed | undefined> {
  const called = await door.call(request, input, caller);
  return called.ok ? (called.output as { tasks: Listed }).tasks : undefined;
}

const gauge = (name: string, help: string, values: readonly (readonly [labels: string, value: number])[]): string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} gauge`,
  ...values.map(([labels, value]) => `${name}${labels} ${value}`),
];

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
