/**
 * Any program as an agent, by its description in the config: arguments with placeholders, how the prompt comes, how its output reads. A
 * program that ToDone never heard of needs nothing else.
 */
import type { AgentConfig } from '../../config.ts';
import type { AgentEvent } from '../../engine/ports.ts';
import { findProgram } from '../find-program.ts';
import { quoted } from './client.ts';
import { failure } from './faults.ts';
import { asLine, asNumber, objectOf, valuesAt } from './json-line.ts';
import type { AgentRow, Reader } from './row.ts';
import { plainReader } from './script.ts';

/** Longest single argument that Linux takes is 128 KiB. */
const ARGUMENT_BYTES_MAX = 120 * 1024;
const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;
const PLACEHOLDERS: readonly string[] = ['prompt', 'prompt_file', 'model', 'workspace', 'session'];

export function commandRow(name: string, agent: AgentConfig): AgentRow {
  const [program = '', ...args] = agent.command ?? [];
  return {
    name,
    takes: 'anything',
    steps: agent.steps,
    learns: true,
    problem: ({ env, top }) => templateProblem(name, agent) ?? (findProgram(program, env, top) ? undefined : notFound(name, program)),
    invoke({ order, promptFile, around: { env, top } }) {
      const values = {
        prompt: argumentOf(order.prompt, promptFile),
        prompt_file: promptFile,
        model: order.model ?? agent.model,
        workspace: order.workspace,
        session: order.session,
      };
      const resumed = order.session === undefined ? args : [...args, ...agent.resume];
      return {
        program: findProgram(program, env, top) ?? program,
        args: withPrompt(agent, resumed).flatMap((arg) => fillArgument(arg, values)),
        env: agent.env,
        passed: agent.passEnv,
        ...(fromStdin(agent, args) ? { inputFile: promptFile } : {}),
        called: program,
        stopSignal: agent.stop,
      };
    },
    preview: (model) => {
      const values = { prompt: '<prompt>', prompt_file: '<prompt file>', model: model ?? agent.model, workspace: '<workspace>', session: undefined };
      const filled = withPrompt(agent, args).flatMap((arg) => fillArgument(arg, values));
      return [program, ...filled].map(quoted).join(' ') + (fromStdin(agent, args) ? ' < <prompt file>' : '');
    },
    reader: (now) => (agent.output === 'jsonl' ? jsonReader(agent, now) : plainReader()),
  };
}

/** A flag right before an argument that may be left out goes with it: `--model {{model}}`. */
function withPrompt(agent: AgentConfig, args: readonly string[]): (readonly string[])[] {
  const grouped: string[][] = [];
  for (const arg of args) {
    const before = grouped.at(-1);
    const optional = arg.includes('{{model}}') || arg.includes('{{session}}');
    if (optional && before?.length === 1 && /^-[^=]*$/.test(before[0] ?? '') && !before[0]?.includes('{{')) before.push(arg);
    else grouped.push([arg]);
  }
  if (agent.prompt === 'argument' && !mentionsPrompt(args)) grouped.push(['{{prompt}}']);
  if (agent.prompt === 'file' && !mentionsPrompt(args)) grouped.push(['{{prompt_file}}']);
  return grouped;
}

type Values = Readonly<Record<'prompt' | 'prompt_file' | 'workspace', string>> & Readonly<Record<'model' | 'session', string | undefined>>;

/** Values are put in once, as they are: one argument stays one argument. Without a model, what would name one is left out; so with a session. */
function fillArgument(group: readonly string[], values: Values): string[] {
  if (values.model === undefined && group.some((arg) => arg.includes('{{model}}'))) return [];
  if (values.session === undefined && group.some((arg) => arg.includes('{{session}}'))) return [];
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

/** One object per line; what is found at a path of the config counts, and a line that is no JSON is the program's own word. */
function jsonReader({ fields, cumulative }: AgentConfig, now: () => number): Reader {
  let session: string | undefined;
  return (line, from) => {
    const said = from === 'stdout' ? objectOf(line) : undefined;
    if (!said) return [{ kind: 'text', text: line, aside: true }];
    const at = (paths: readonly string[]): unknown[] => paths.flatMap((path) => valuesAt(said, path));
    const texts = (paths: readonly string[]): string[] => at(paths).filter((value): value is string => typeof value === 'string' && value !== '');
    const sum = (paths: readonly string[]): number | undefined => {
      const numbers = at(paths).filter((value) => typeof value === 'number');
      return numbers.length === 0 ? undefined : numbers.reduce((total, value) => total + asNumber(value), 0);
    };
    const events: AgentEvent[] = [];
    const id = texts(fields.session).at(-1);
    if (id !== undefined && id !== session) events.push({ kind: 'session', id });
    session = id ?? session;
    for (const text of texts(fields.text)) events.push({ kind: 'text', text });
    for (const call of at(fields.tool)) events.push({ kind: 'tool', name: 'tool', input: asLine(call) });
    const [input, output, cost] = [sum(fields.inputTokens), sum(fields.outputTokens), sum(fields.cost)];
    if (input !== undefined || output !== undefined || cost !== undefined)
      events.push({ kind: 'usage', usage: { inputTokens: input ?? 0, outputTokens: output ?? 0, costUsd: cost ?? 0 }, cumulative });
    for (const words of wordsOf(at(fields.error))) events.push(failure(words, now()));
    for (const words of wordsOf(at(fields.limit))) events.push(failure(words, now(), { status: 429 }));
    return events;
  };
}

/** `false`, `0` and nothing are no error. */
const wordsOf = (values: readonly unknown[]): string[] =>
  values.filter((value) => value !== false && value !== '' && value !== 0).map((value) => (value === true ? 'it says that it failed' : asLine(value)));

function templateProblem(name: string, agent: AgentConfig): string | undefined {
  const all = [...(agent.command ?? []), ...agent.resume];
  const unknown = all.flatMap((arg) => [...arg.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '')).find((key) => !PLACEHOLDERS.includes(key));
  if (unknown !== undefined)
    return `agents.${name}.command has {{${unknown}}}, which is not known: there are ${PLACEHOLDERS.map((key) => `{{${key}}}`).join(', ')}`;
  return agent.command?.[0]?.includes('{{') ? `agents.${name}.command has to begin with a program, not with a value` : undefined;
}

export const notFound = (name: string, program: string): string =>
  program.includes('/')
    ? `${program} is not a program that can be started: correct agents.${name}.command in the config`
    : `${program} is not on the PATH: install it, or correct agents.${name}.command in the config`;
