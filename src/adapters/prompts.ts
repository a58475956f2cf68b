/**
 * The prompts (5.1-R1): `prompts/*.md` of the package, overridden file by file by the repository's own, or by what the config names;
 * read from the main worktree and never from a workspace. Everything wrong with them is found at load, with file and line.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { durationMs } from '../config.ts';
import type { PromptName, Prompts } from '../engine/ports.ts';
import { fill, fillCommand, type PromptOptions, readOptions, splitTemplate, templateProblems } from '../runs/prompt.ts';

export type PromptProblem = { readonly file: string; readonly line: number; readonly message: string };

export type LoadedPrompts = Prompts & { options(name: PromptName): PromptOptions };

export const PROMPT_NAMES: readonly PromptName[] = ['plan', 'implement', 'update', 'resolve', 'investigate', 'breakdown'];

type Template = { readonly body: string; readonly options: PromptOptions; readonly isCommand: boolean };

/** `chosen` = files that the config names, from the top of the repository. */
export function loadPrompts(
  top: string,
  chosen: Readonly<Partial<Record<PromptName, string>>> = {},
): { readonly prompts: LoadedPrompts; readonly problems: readonly PromptProblem[] } {
  const problems: PromptProblem[] = [];
  const templates = new Map(PROMPT_NAMES.map((name) => [name, loadOne(top, name, chosen[name], problems)]));
  const prime = join(top, 'prompts', 'prime.md');
  const opening = existsSync(prime) ? load(prime, false, problems) : undefined;
  return {
    prompts: {
      fill(name, values) {
        const template = templates.get(name);
        const text = template?.isCommand ? fillCommand(template.body, values) : fill(template?.body ?? '', values);
        return opening && opensSession(name, values) ? `${fill(opening.body, values).trim()}\n\n${text}` : text;
      },
      limitMs(name) {
        const { timeLimit } = templates.get(name)?.options ?? {};
        return timeLimit === undefined ? undefined : durationMs(timeLimit);
      },
      options: (name) => templates.get(name)?.options ?? {},
    },
    problems,
  };
}

/** The first prompt that an agent gets: the plan's, or where nobody planned the next one's. */
const opensSession = (name: PromptName, values: Readonly<Record<string, string>>): boolean =>
  name === 'plan' ||
  name === 'investigate' ||
  name === 'breakdown' ||
  (name === 'implement' && (values['plan'] ?? '') === '' && (values['evidence'] ?? '') === '');

function loadOne(top: string, name: PromptName, chosen: string | undefined, problems: PromptProblem[]): Template {
  if (chosen !== undefined) {
    const file = insideOf(top, chosen);
    if (file !== undefined) return load(file, file.split(sep).includes('commands'), problems);
    problems.push({ file: chosen, line: 1, message: `prompts.${name} in the config is no file of this repository: the packaged prompt is used` });
  }
  const own = join(top, 'prompts', `${name}.md`);
  return load(existsSync(own) ? own : shipped(name), false, problems);
}

/** A file of the repository, links followed. */
function insideOf(top: string, path: string): string | undefined {
  try {
    const real = realpathSync(resolve(top, path));
    const from = relative(realpathSync(top), real);
    return from === '' || from.startsWith('..') || isAbsolute(from) ? undefined : real;
  } catch {
    return undefined;
  }
}

/** Beside the sources, or beside the built program. */
function shipped(name: PromptName): string {
  const places = [join(import.meta.dirname, '..', '..', 'prompts', `${name}.md`), join(import.meta.dirname, '..', 'prompts', `${name}.md`)];
  return places.find((path) => existsSync(path)) ?? join('prompts', `${name}.md`);
}

function load(file: string, isCommand: boolean, problems: PromptProblem[]): Template {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    problems.push({ file, line: 1, message: `the prompt cannot be read: ${error instanceof Error ? error.message : String(error)}` });
    return { body: '', options: {}, isCommand };
  }
  const { frontMatter, body, offset } = splitTemplate(text);
  if (body.trim() === '') problems.push({ file, line: offset + 1, message: 'the prompt is empty' });
  if (!isCommand) problems.push(...templateProblems(body).map((each) => ({ file, line: each.line + offset, message: each.message })));
  return { body: body.trim(), options: frontMatter === undefined ? {} : optionsIn(file, frontMatter, problems), isCommand };
}

function optionsIn(file: string, frontMatter: string, problems: PromptProblem[]): PromptOptions {
  const lines = new LineCounter();
  const document = parseDocument(frontMatter, { lineCounter: lines, prettyErrors: false });
  for (const error of document.errors)
    problems.push({ file, line: lines.linePos(error.pos[0]).line + 1, message: `the front matter is no YAML: ${error.message}` });
  if (document.errors.length > 0) return {};
  const read = readOptions(document.toJS());
  if ('options' in read) return read.options;
  problems.push(...read.problems.map((message) => ({ file, line: 2, message })));
  return {};
}
