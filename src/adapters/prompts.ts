/**
 * The prompts (5.1-R1): `prompts/*.md` of the package, overridden file by file by the repository's own, read from the main worktree
 * and never from a workspace. Everything wrong with them is found at load, with file and line.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import type { PromptName, Prompts } from '../engine/ports.ts';
import { fill, templateProblems } from '../runs/prompt.ts';

export type PromptProblem = { readonly file: string; readonly line: number; readonly message: string };

const NAMES: readonly PromptName[] = ['plan', 'implement', 'update', 'resolve', 'investigate'];

export function loadPrompts(top: string): { readonly prompts: Prompts; readonly problems: readonly PromptProblem[] } {
  const problems: PromptProblem[] = [];
  const bodies = new Map<PromptName, string>();
  for (const name of NAMES) {
    const file = fileOf(top, name);
    const { body, offset, problem } = split(readFileSync(file, 'utf8'));
    if (problem !== undefined) problems.push({ file, line: 1, message: problem });
    problems.push(...templateProblems(body).map((each) => ({ file, line: each.line + offset, message: each.message })));
    bodies.set(name, body);
  }
  const prime = join(top, 'prompts', 'prime.md');
  const opening = existsSync(prime) ? `${readFileSync(prime, 'utf8').trim()}\n\n` : '';
  return { prompts: { fill: (name, values) => (name === 'plan' || values['plan'] === '' ? opening : '') + fill(bodies.get(name) ?? '', values) }, problems };
}

function fileOf(top: string, name: PromptName): string {
  const own = join(top, 'prompts', `${name}.md`);
  if (existsSync(own)) return own;
  const shipped = [join(import.meta.dirname, '..', '..', 'prompts', `${name}.md`), join(import.meta.dirname, '..', 'prompts', `${name}.md`)];
  return shipped.find((path) => existsSync(path)) ?? shipped[0] ?? own;
}

/** YAML front matter and the rest; `offset` = lines before the rest. */
function split(text: string): { readonly body: string; readonly offset: number; readonly problem?: string } {
  const match = /^---\r?\n([\s\S]*?)\r?\n---\r?\n/.exec(text);
  if (!match) return { body: text, offset: 0 };
  const offset = match[0].split('\n').length - 1;
  const body = text.slice(match[0].length);
  try {
    const options: unknown = parseYaml(match[1] ?? '');
    return typeof options === 'object' && options !== null && !Array.isArray(options) ? { body, offset } : { body, offset, problem: 'the front matter is no list of options' };
  } catch (error) {
    return { body, offset, problem: `the front matter is no YAML: ${error instanceof Error ? error.message : String(error)}` };
  }
}
