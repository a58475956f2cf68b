/**
 * What the embedded agent would run for a task (5.3-R1): its `run:` field, or its first shell block. Never runs it.
 */
import type { Task } from '../tasks/task.ts';

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*(?:sh|bash|shell|zsh)[ \t]*$/;

/** The commands, or undefined where there are none. */
export function runnableOf(task: Pick<Task, 'fields' | 'details'>): string | undefined {
  const field = task.fields.find(({ key }) => key === 'run')?.value.trim();
  return field ? field : firstShellBlock(task.details);
}

function firstShellBlock(details: string): string | undefined {
  const lines = details.split('\n');
  const start = lines.findIndex((line) => FENCE.test(line));
  const fence = FENCE.exec(lines[start] ?? '')?.[1];
  if (fence === undefined) return undefined;
  const length = lines.slice(start + 1).findIndex((line) => line.trim().startsWith(fence));
  const block = lines.slice(start + 1, length === -1 ? undefined : start + 1 + length).join('\n');
  return block.trim() === '' ? undefined : block;
}
