/**
 * What an agent in a run may say and ask through its MCP server (5.2-R1): one table for the server that offers it and the owner
 * that answers. Every tool speaks for the agent's own task only; which one that is says its token, never its input.
 */
import { z } from 'zod';
import { newTaskSchema, REQUESTS } from './requests.ts';
import { resultSchema } from './result.ts';

export type ToolRow = {
  readonly title: string;
  /** For the model: when to call it, and what happens then. */
  readonly description: string;
  readonly input: z.ZodObject;
  /** What `data` of its answer is; undefined = not promised. */
  readonly output?: z.ZodObject;
  /** Changes nothing. */
  readonly readOnly: boolean;
  /** Calling it again with the same input changes nothing more. */
  readonly idempotent: boolean;
  /** Takes something away that calling it again does not bring back. */
  readonly destructive?: boolean;
};

const task = z.string().min(1).max(200).describe('Its id, {id:} name, handle, or file:line');

export const RUN_TOOLS = {
  report: {
    title: 'Report how the phase went',
    description:
      'Call this once, when your phase is finished or cannot go on: how it ended, a summary and, where you were asked for one, the commit message or the plan. ' +
      'The repository and its checks decide whether it counts as done.',
    input: resultSchema,
    readOnly: false,
    idempotent: true,
  },
  progress: {
    title: 'Say what you are doing',
    description: 'One short line for the person who watches. Changes nothing; not needed.',
    input: z.strictObject({ message: z.string().min(1).max(500) }),
    readOnly: false,
    idempotent: true,
  },
  ask: {
    title: 'Ask the person a question',
    description:
      'When only a person can decide (architecture, a public interface, deleting data, a new service): one question that one line can answer. ' +
      'It is written under the task. End your turn afterwards: you go on in the same session when it is answered.',
    input: z.strictObject({ question: z.string().min(1).max(5000) }),
    readOnly: false,
    idempotent: true,
  },
  task_show: {
    title: 'Show a task',
    description: 'What the list and the records say of a task; without a name, of your own.',
    input: z.strictObject({ task: task.optional() }),
    readOnly: true,
    idempotent: true,
  },
  task_ready: {
    title: 'Show what is ready',
    description: 'The tasks that could be started next, by anyone. You work on your own task only: this is to know what is planned anyway.',
    input: REQUESTS['task.ready'].input.pick({ limit: true }),
    readOnly: true,
    idempotent: true,
  },
  file_task: {
    title: 'File a task',
    description:
      'For work that you found and that is not part of your task. It goes to the end of your section and waits until a person accepts it; ' +
      'what your own task needs first is reported with needs_prerequisite instead.',
    input: newTaskSchema.pick({ title: true, description: true }),
    readOnly: false,
    idempotent: false,
  },
} as const satisfies Readonly<Record<string, ToolRow>>;

export type RunTool = keyof typeof RUN_TOOLS;

export const isRunTool = (name: string): name is RunTool => Object.hasOwn(RUN_TOOLS, name);

/** What a tool answers: words for the model, and the same as data. */
export type ToolAnswer =
  | { readonly ok: true; readonly message: string; readonly data?: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly message: string; readonly remedy: string };
