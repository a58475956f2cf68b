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
    .describe('What has to be done first, with needs_prerequisite'),
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
  const { outcome, summary, commitMessage, plan, files } = result;
  return { outcome, summary, commitMessage, ...(plan === undefined ? {} : { plan }), ...(files === undefined ? {} : { files }), asks: asksOf(result) };
}

function asksOf(result: Result): Found['asks'] {
  if (result.outcome === 'needs_decision') return { kind: 'decision', question: result.question ?? result.summary ?? 'the agent needs a decision' };
  const first = result.tasks?.[0];
  if (result.outcome === 'needs_prerequisite')
    return { kind: 'prerequisite', id: '', title: first?.title ?? result.summary ?? 'a prerequisite', details: first?.details };
  return undefined;
}

const FILES_MAX = 200;
const PATH_CHARS_MAX = 500;

/** The files that a plan names in its `files:` line or list; what the choice and a stale plan are measured by. */
export function filesNamed(plan: string): readonly string[] {
  const lines = plan.split('\n');
  const at = lines.findIndex((line) => /^[\s#*_-]*files[*_]*\s*:?[*_]*\s*/i.test(line) && /files[*_]*\s*(?::|$)/i.test(line));
  if (at === -1) return [];
  const same = (lines[at] ?? '').replace(/^[\s#*_-]*files[*_]*\s*:?[*_]*\s*/i, '');
  const listed = lines
    .slice(at + 1)
    .filter((line, index, rest) => rest.slice(0, index + 1).every((each) => /^\s*(?:[-*+]|\d+[.)])\s+\S/.test(each) || each.trim() === ''));
  const names = same.trim() !== '' ? same.split(/[,\s]+/) : listed.map((line) => line.replace(/^\s*(?:[-*+]|\d+[.)])\s+/, '').split(/\s+[-–—(:]|:\s/)[0] ?? '');
  return [...new Set(names.map((name) => name.replaceAll(/[`"'*]|,$/g, '').trim()).filter((name) => name !== '' && name.length <= PATH_CHARS_MAX))].slice(
    0,
    FILES_MAX,
  );
}
