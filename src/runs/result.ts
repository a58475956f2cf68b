/**
 * What an agent reports (5.2-R2), by `TODONE_RESULT` or a tool: read, checked, and turned into what the run knows. Never believes
 * more than it says: success is judged elsewhere.
 */
import { z } from 'zod';
import type { Found } from './run.ts';

export const resultSchema = z.object({
  outcome: z.enum(['done', 'failed', 'needs_prerequisite', 'needs_decision', 'no_change']).describe('How the phase ended'),
  summary: z.string().max(20_000).optional().describe('What was done, for people'),
  commitMessage: z.string().max(20_000).optional().describe('A first line of at most 72 characters, then why'),
  plan: z.string().max(200_000).optional().describe('The plan, in the plan phase'),
  files: z.array(z.string().max(4096)).max(1000).optional().describe('Files that the plan names'),
  tasks: z
    .array(z.object({ title: z.string().min(1).max(500), details: z.string().max(20_000).optional() }))
    .max(20)
    .optional()
    .describe('With needs_prerequisite: what has to be done first. With done: what was found besides and is no part of this task'),
  question: z.string().max(5000).optional().describe('What a person has to decide, with needs_decision'),
});

export type Result = z.output<typeof resultSchema>;

/** What a report says, or a note why it does not count. */
export function readResult(text: string): { readonly found: Found } | { readonly note: string } {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    return { note: 'the report is not JSON: the outcome is inferred' };
  }
  const parsed = resultSchema.safeParse(written);
  if (!parsed.success)
    return {
      note: `the report is not as it should be (${parsed.error.issues[0]?.path.join('.') ?? ''}: ${parsed.error.issues[0]?.message ?? ''}): the outcome is inferred`,
    };
  return { found: foundOf(parsed.data) };
}

export function foundOf(result: Result): Found {
  const { outcome, summary, commitMessage, plan, files, tasks } = result;
  return {
    outcome,
    summary,
    commitMessage,
    ...(plan === undefined ? {} : { plan }),
    ...(files === undefined ? {} : { files }),
    ...(tasks === undefined || outcome === 'needs_prerequisite' ? {} : { proposes: tasks }),
    asks: asksOf(result),
  };
}

function asksOf(result: Result): Found['asks'] {
  const { outcome, summary, question, tasks = [] } = result;
  if (outcome === 'needs_decision') return { kind: 'decision', question: question ?? summary ?? 'the agent needs a decision' };
  if (outcome !== 'needs_prerequisite') return undefined;
  return { kind: 'prerequisite', tasks: tasks.length > 0 ? tasks : [{ title: summary ?? 'a prerequisite' }] };
}

const FILES_MAX = 200;
const PATH_CHARS_MAX = 500;
/** `files: a, b`, `**files:**`, `## Files`; what stands after it on the line is the second part. */
const FILES_HEAD = /^[ \t#*_-]*files[*_]{0,2}[ \t]*(?::[*_]{0,2}[ \t]*(.*))?$/i;
const ITEM = /^[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+(\S.*)$/;

/** The files that a plan names in its `files:` line or list; what the choice and a stale plan are measured by. */
export function filesNamed(plan: string): readonly string[] {
  const lines = plan.split('\n');
  const at = lines.findIndex((line) => FILES_HEAD.test(line));
  if (at === -1) return [];
  const same = FILES_HEAD.exec(lines[at] ?? '')?.[1] ?? '';
  const names = same.trim() === '' ? listedUnder(lines.slice(at + 1)) : same.split(/[,\s]+/);
  return [...new Set(names.map(bare))].filter((name) => name !== '' && name.length <= PATH_CHARS_MAX).slice(0, FILES_MAX);
}

/** The items up to the first line that is none, each without what is said about it. */
function listedUnder(lines: readonly string[]): string[] {
  const end = lines.findIndex((line) => line.trim() !== '' && !ITEM.test(line));
  return lines.slice(0, end === -1 ? undefined : end).map((line) => (ITEM.exec(line)?.[1] ?? '').split(/[ \t]+[-–—(:]|:[ \t]/)[0] ?? '');
}

/** Without quotes or emphasis around it; stars inside are a glob. */
const bare = (name: string): string => {
  const text = name.trim();
  return (
    /^(?:`(.*)`|"(.*)"|'(.*)'|\*\*(.*)\*\*)[,:]?$/
      .exec(text)
      ?.slice(1)
      .find((part) => part !== undefined) ?? text
  ).trim();
};
