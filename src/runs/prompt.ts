/**
 * Templates of prompts (5.1-R1): options and `{{variables}}` checked at load, filled with values that are never expanded again.
 * Pure text: reading files and YAML is the adapter's.
 */
import { z } from 'zod';
import { RULES_OF_RUN } from './rules.ts';

/** Texts of a person, an agent or a program: data between fences. */
const DATA = ['task', 'plan', 'diff', 'evidence'] as const;
export const VARIABLES = ['id', 'section', 'title', 'tags', 'attempt', 'attempts', 'worktree', 'verify', 'rules', 'report', ...DATA] as const;

export const promptOptionsSchema = z.strictObject({
  readOnly: z.boolean().optional().describe('The phase changes nothing; what it changes is undone'),
  tools: z.array(z.string()).optional().describe('Tools that the agent may use, where it can be told'),
  timeLimit: z
    .string()
    .regex(/^\d{1,9}(?:ms|s|m|h|d)?$/, 'a time such as 90s, 20m or 2h')
    .optional()
    .describe('Longest time of the phase'),
  model: z.string().optional().describe('The model for this phase'),
  description: z.string().optional().describe('For people'),
  'argument-hint': z.string().optional().describe('Of a command file; not used'),
  'allowed-tools': z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('Of a command file; the same as tools'),
});

export type PromptOptions = z.output<typeof promptOptionsSchema>;

/** What is wrong in a template, with its line from 1. */
export type TemplateProblem = { readonly line: number; readonly message: string };

const VARIABLE = /\{\{([^{}\n]*)\}\}/g;

export type SplitTemplate = {
  /** The YAML between the first two `---` lines. */
  readonly frontMatter: string | undefined;
  readonly body: string;
  /** Lines before the body. */
  readonly offset: number;
};

/** Front matter and body. Line ends become `\n`. */
export function splitTemplate(text: string): SplitTemplate {
  const lines = text
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .split('\n');
  const end = /^---[ \t]*$/.test(lines[0] ?? '') ? lines.findIndex((line, index) => index > 0 && /^---[ \t]*$/.test(line)) : -1;
  if (end === -1) return { frontMatter: undefined, body: lines.join('\n'), offset: 0 };
  return { frontMatter: lines.slice(1, end).join('\n'), body: lines.slice(end + 1).join('\n'), offset: end + 1 };
}

/** The options that a front matter sets, or all that is wrong with it. */
export function readOptions(written: unknown): { readonly options: PromptOptions } | { readonly problems: readonly string[] } {
  const parsed = promptOptionsSchema.safeParse(written ?? {});
  if (parsed.success) return { options: parsed.data };
  return { problems: parsed.error.issues.map((issue) => `${issue.path.join('.') || 'front matter'}: ${issue.message}`) };
}

/** Every variable that the template may not use. `{{` in a command file is its own affair. */
export function templateProblems(template: string): TemplateProblem[] {
  const known: ReadonlySet<string> = new Set(VARIABLES);
  return template.split('\n').flatMap((text, index) =>
    [...text.matchAll(VARIABLE)]
      .map((match) => (match[1] ?? '').trim())
      .filter((name) => !known.has(name))
      .map((name) => ({ line: index + 1, message: `{{${name}}} is no variable; there are: ${[...VARIABLES].sort().join(', ')}` })),
  );
}

/** Puts each value in once: what a value says in braces stays as it is, and no value can close its fence. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  const all: Readonly<Record<string, string>> = { rules: RULES_OF_RUN, report: REPORT, ...values };
  return template.replaceAll(VARIABLE, (_whole, name: string) => fenced(name.trim(), Object.hasOwn(all, name.trim()) ? (all[name.trim()] ?? '') : ''));
}

/** A command file as other tools have them: `$ARGUMENTS` is the task, `$1`… the words of its first line. */
export function fillCommand(template: string, values: Readonly<Record<string, string>>): string {
  const task = values['task'] ?? '';
  const words = (task.split('\n')[0] ?? '').split(/\s+/).filter((word) => word !== '');
  const used = /\$(?:ARGUMENTS\b|\d)/.test(template);
  const text = template.replaceAll(/\$(ARGUMENTS\b|\d{1,2})/g, (_whole, name: string) => (name === 'ARGUMENTS' ? task : (words[Number(name) - 1] ?? '')));
  return `${used ? text : `${text}\n\n${task}`}\n\n${RULES_OF_RUN}\n\n${REPORT}`;
}

const CLOSING = new RegExp(`<(?=/(?:${DATA.join('|')})>)`, 'gi');
const fenced = (name: string, value: string): string => (DATA.some((each) => each === name) ? value.replaceAll(CLOSING, '<\\') : value);

/** How every agent tells how it went (5.2-R2). */
const REPORT = `When you are finished, call the tool \`report\` of the MCP server \`todone\`; where you have no such tool, write the same as one JSON object to the file that the variable TODONE_RESULT names:
{"outcome": "done", "summary": "what was done, in a few sentences", "commitMessage": "imperative first line, at most 72 characters\\n\\nwhy"}
\`outcome\` is one of
- \`done\`: all that was asked for is there
- \`failed\`: it is not; \`summary\` says what stands in the way and what was tried
- \`no_change\`: nothing had to be changed; \`summary\` says why
- \`needs_prerequisite\`: something else comes first; \`tasks\` has it: [{"title": "…", "details": "files, action, verify, done: a line each"}]
- \`needs_decision\`: a person has to choose; \`question\` is one question that one line can answer
With \`done\`, \`tasks\` may name what you found besides and left alone: a person decides about it.
Say what is, not what is hoped for: the repository and its checks decide.`;
