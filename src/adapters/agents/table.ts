/**
 * The agents as a table: what each is, how it is started, how its output is read. Adding one is adding a row. Never branches on
 * an agent's name elsewhere.
 */
import type { AgentConfig, Config } from '../../config.ts';
import type { AgentEvent, AgentInfo, PhaseOrder } from '../../engine/ports.ts';
import type { Step } from '../../runs/run.ts';
import { runnableOf } from '../../runs/runnable.ts';
import { findProgram } from '../find-program.ts';

export type Invocation = {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables that it gets from the daemon's environment. */
  readonly passed: readonly string[];
  /** Folders of its own below home that it needs to write: sessions, accounts. Absolute. */
  readonly keeps?: readonly string[];
  /** What it reads as its input. */
  readonly inputFile?: string;
  /** What a person would call the command: `npm test`. */
  readonly called: string;
};

/** Where rows look for programs: relative names count from the main worktree, never from a workspace (5.3-R9). */
export type Surroundings = { readonly env: NodeJS.ProcessEnv; readonly top: string; readonly mcp?: McpServer };

/** The `todone` MCP server of one phase (5.2-R1), over stdio, as a client is told of it. `env` holds all that it needs. */
export type McpServer = { readonly name: string; readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };

export type AgentRow = {
  readonly name: string;
  readonly takes: 'anything' | 'runnable';
  readonly steps: readonly Step[];
  readonly learns: boolean;
  /** What is wrong and what to do, or undefined where it can be used. */
  problem(around: Surroundings): string | undefined;
  /** Undefined where this task has nothing for it. */
  invoke(order: PhaseOrder, promptFile: string, around: Surroundings): Invocation | undefined;
  /** How it would be started, for the dry run. */
  preview(model: string | undefined): string;
  /** A reader of one phase's output, line by line: what a line says may depend on those before. */
  reader(): (line: string, from: 'stdout' | 'stderr') => readonly AgentEvent[];
};

/** In the order in which one is taken where nothing names one: what a person configured, and last what needs no model. */
export function agentTable(config: Config): readonly AgentRow[] {
  const configured = Object.entries(config.agents).map(([name, agent]) => commandRow(name, agent));
  return configured.some(({ name }) => name === SCRIPT.name) ? configured : [...configured, SCRIPT];
}

/** What each is, and whether it can be had here. */
export function listAgents(rows: readonly AgentRow[], around: Surroundings): readonly AgentInfo[] {
  return rows.map((row) => {
    const problem = row.problem(around);
    return { name: row.name, installed: problem === undefined, problem, takes: row.takes, steps: row.steps, learns: row.learns };
  });
}

/** Every line is text. */
const plainReader =
  () =>
  (line: string): readonly AgentEvent[] => [{ kind: 'text', text: line }];

/** The embedded agent (5.3-R1): a shell, and what the task says is to run. */
const SCRIPT: AgentRow = {
  name: 'script',
  takes: 'runnable',
  steps: ['implement'],
  learns: false,
  problem: ({ env }) => (findProgram('sh', env) ? undefined : 'there is no sh on the PATH: put /bin on it'),
  invoke(order) {
    const commands = runnableOf(order.task);
    return commands === undefined ? undefined : { program: 'sh', args: ['-c', commands], env: {}, passed: [], called: commands };
  },
  preview: () => "sh -c '<run: of the task, or its first sh block>'",
  reader: plainReader,
};

/** Longest single argument that Linux takes is 128 KiB. */
const ARGUMENT_BYTES_MAX = 120 * 1024;
const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;
const PLACEHOLDERS: readonly string[] = ['prompt', 'prompt_file', 'model', 'workspace'];

/** Any program, by its command in the config. */
function commandRow(name: string, agent: AgentConfig): AgentRow {
  const [program = '', ...args] = agent.command;
  return {
    name,
    takes: 'anything',
    steps: agent.steps,
    learns: true,
    problem: ({ env, top }) => templateProblem(name, agent) ?? (findProgram(program, env, top) ? undefined : notFound(name, program)),
    invoke(order, promptFile, { env, top }) {
      const values = { prompt: argumentOf(order.prompt, promptFile), prompt_file: promptFile, model: order.model, workspace: order.workspace };
      const filled = withPrompt(agent, args).flatMap((arg) => fillArgument(arg, values));
      return {
        program: findProgram(program, env, top) ?? program,
        args: filled,
        env: agent.env,
        passed: agent.passEnv,
        ...(fromStdin(agent, args) ? { inputFile: promptFile } : {}),
        called: program,
      };
    },
    preview: (model) =>
      [
        program,
        ...withPrompt(agent, args).flatMap((arg) => fillArgument(arg, { prompt: '<prompt>', prompt_file: '<prompt file>', model, workspace: '<workspace>' })),
      ]
        .map(quoted)
        .join(' ') + (fromStdin(agent, args) ? ' < <prompt file>' : ''),
    reader: plainReader,
  };
}

/** A flag right before an argument that may be left out goes with it: `--model {{model}}`. */
function withPrompt(agent: AgentConfig, args: readonly string[]): (readonly string[])[] {
  const grouped: string[][] = [];
  for (const arg of args) {
    const before = grouped.at(-1);
    if (arg.includes('{{model}}') && before?.length === 1 && /^-[^=]*$/.test(before[0] ?? '') && !before[0]?.includes('{{')) before.push(arg);
    else grouped.push([arg]);
  }
  if (agent.prompt === 'argument' && !mentionsPrompt(args)) grouped.push(['{{prompt}}']);
  if (agent.prompt === 'file' && !mentionsPrompt(args)) grouped.push(['{{prompt_file}}']);
  return grouped;
}

type Values = Readonly<Record<'prompt' | 'prompt_file' | 'workspace', string>> & { readonly model: string | undefined };

/** Values are put in once, as they are: one argument stays one argument. Without a model, what would name one is left out. */
function fillArgument(group: readonly string[], values: Values): string[] {
  if (values.model === undefined && group.some((arg) => arg.includes('{{model}}'))) return [];
  const texts = new Map<string, string>(Object.entries(values).map(([key, value]) => [key, value ?? '']));
  return group.map((arg) => arg.replaceAll(PLACEHOLDER, (whole, key: string) => texts.get(key) ?? whole));
}

/** A prompt that is too long for an argument is pointed to; NUL ends an argument. */
function argumentOf(prompt: string, promptFile: string): string {
  return Buffer.byteLength(prompt) > ARGUMENT_BYTES_MAX
    ? `Your instructions are in the file ${promptFile}: read it whole and follow it.`
    : prompt.replaceAll('\0', '');
}

const mentionsPrompt = (args: readonly string[]): boolean => args.some((arg) => arg.includes('{{prompt}}') || arg.includes('{{prompt_file}}'));

/** Where the command says already how the prompt comes, it does not come a second time. */
const fromStdin = (agent: AgentConfig, args: readonly string[]): boolean => agent.prompt === 'stdin' && !mentionsPrompt(args);

function templateProblem(name: string, agent: AgentConfig): string | undefined {
  const unknown = agent.command.flatMap((arg) => [...arg.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '')).find((key) => !PLACEHOLDERS.includes(key));
  if (unknown !== undefined)
    return `agents.${name}.command has {{${unknown}}}, which is not known: there are ${PLACEHOLDERS.map((key) => `{{${key}}}`).join(', ')}`;
  return agent.command[0]?.includes('{{') ? `agents.${name}.command has to begin with a program, not with a value` : undefined;
}

const notFound = (name: string, program: string): string =>
  program.includes('/')
    ? `${program} is not a program that can be started: correct agents.${name}.command in the config`
    : `${program} is not on the PATH: install it, or correct agents.${name}.command in the config`;

/** As a shell would read it; what stands for a value stays as it is. */
const quoted = (arg: string): string => (/^[\w@%+=:,./{}-]*(?:<[a-z ]+>)?$/.test(arg) && arg !== '' ? arg : `'${arg.replaceAll("'", "'\\''")}'`);
