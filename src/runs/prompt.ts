/**
 * Templates of prompts (5.1-R1): `{{variables}}` checked at load, filled with values that are never expanded again. Pure text.
 */
export const VARIABLES = ['id', 'section', 'title', 'task', 'tags', 'plan', 'diff', 'evidence', 'attempt', 'attempts', 'worktree', 'verify'] as const;

const VARIABLE = /\{\{\s*([A-Za-z_]\w*)\s*\}\}/g;

export type TemplateProblem = { readonly line: number; readonly message: string };

/** Every variable that the template may not use, with its line from 1. */
export function templateProblems(template: string): TemplateProblem[] {
  const known: ReadonlySet<string> = new Set(VARIABLES);
  return template.split('\n').flatMap((text, index) =>
    [...text.matchAll(VARIABLE)]
      .filter((match) => !known.has(match[1] ?? ''))
      .map((match) => ({ line: index + 1, message: `{{${match[1]}}} is no variable; there are: ${VARIABLES.join(', ')}` })),
  );
}

export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(VARIABLE, (_whole, name: string) => values[name] ?? '');
}
