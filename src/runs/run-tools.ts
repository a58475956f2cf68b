/**
 * What an agent in a run may say and ask through its MCP server (5.2-R1): one table for the server that offers it and the owner
 * that answers. Every tool speaks for the agent's own task only; which one that is says its token, never its input.
 */
import { z } from 'zod';
import { resultSchema } from './result.ts';

export type ToolRow = {
  readonly title: string;
  /** For the model: when to call it, and what happens then. */
  readonly description: string;
  readonly input: z.ZodObject;
  /** Changes nothing. */
  readonly readOnly: boolean;
  /** Calling it again with the same input changes nothing more. */
  readonly idempotent: boolean;
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
} as const satisfies Readonly<Record<string, ToolRow>>;

export type RunTool = keyof typeof RUN_TOOLS;

export const isRunTool = (name: string): name is RunTool => Object.hasOwn(RUN_TOOLS, name);

/** What a tool answers: words for the model, and the same as data. */
export type ToolAnswer =
  | { readonly ok: true; readonly message: string; readonly data?: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly message: string; readonly remedy: string };
