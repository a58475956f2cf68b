/**
 * The agents as a table: what each is, how it is started, how its output is read. Adding one is adding a row. Never branches on
 * an agent's name elsewhere.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { AgentConfig, Config } from '../../config.ts';
import type { AgentEvent, PhaseOrder } from '../../engine/ports.ts';
import type { Step } from '../../runs/run.ts';
import { runnableOf } from '../../runs/runnable.ts';

export type Invocation = {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly passed: readonly string[];
  readonly input: string | undefined;
};

export type AgentRow = {
  readonly name: string;
  readonly takes: 'anything' | 'runnable';
  readonly steps: readonly Step[];
  readonly learns: boolean;
  /** What is wrong, or undefined where it can be used. */
  problem(env: NodeJS.ProcessEnv): { readonly message: string } | undefined;
  invoke(order: PhaseOrder, promptFile: string): Invocation;
  /** How it would be started, for the dry run. */
  preview(model: string | undefined): string;
  /** One line of its output as events. */
  read(line: string, from: 'stdout' | 'stderr'): readonly AgentEvent[];
};

/** In the order in which one is taken where nothing names one. */
export function agentTable(config: Config): readonly AgentRow[] {
  return [...Object.entries(config.agents).map(([name, agent]) => commandRow(name, agent)), SCRIPT];
}

const SCRIPT: AgentRow = {
  name: 'script',
  takes: 'runnable',
  steps: ['implement'],
  learns: false,
  problem: () => undefined,
  invoke: (order) => ({ program: 'sh', args: ['-c', runnableOf(order.task) ?? 'exit 2'], env: {}, passed: [], input: undefined }),
  preview: () => "sh -c '<run: of the task>'",
  read: (line) => [{ kind: 'text', text: line }],
};

function commandRow(name: string, agent: AgentConfig): AgentRow {
  const [program = '', ...args] = agent.command;
  return {
    name,
    takes: 'anything',
    steps: agent.steps,
    learns: true,
    problem: (env) => (onPath(program, env) ? undefined : { message: `${program} is not on the PATH: install it, or correct agents.${name}.command in the config` }),
    invoke: (order, promptFile) => ({
      program,
      args: [...args.map((arg) => fillArg(arg, order, promptFile)), ...(agent.prompt === 'argument' && !mentions(args, 'prompt') ? [order.prompt] : []), ...(agent.prompt === 'file' && !mentions(args, 'prompt_file') ? [promptFile] : [])],
      env: agent.env,
      passed: agent.passEnv,
      input: agent.prompt === 'stdin' ? order.prompt : undefined,
    }),
    preview: (model) => [program, ...args.map((arg) => arg.replaceAll('{{model}}', model ?? ''))].join(' '),
    read: (line) => [{ kind: 'text', text: line }],
  };
}

const ARGUMENT = /\{\{(prompt|prompt_file|model|workspace)\}\}/g;

/** Values are put in once, as they are: one argument stays one argument. */
function fillArg(arg: string, order: PhaseOrder, promptFile: string): string {
  const values: Readonly<Record<string, string>> = { prompt: order.prompt, prompt_file: promptFile, model: order.model ?? '', workspace: order.workspace };
  return arg.replaceAll(ARGUMENT, (_whole, name: string) => values[name] ?? '');
}

const mentions = (args: readonly string[], name: string): boolean => args.some((arg) => arg.includes(`{{${name}}}`));

/** Whether a program can be started from here. */
export function onPath(program: string, env: NodeJS.ProcessEnv): boolean {
  const places = isAbsolute(program) || program.includes('/') ? [program] : (env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program));
  return places.some((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
