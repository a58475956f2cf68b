/**
 * The one issue of `todone audit --issue` (6.4-R2), through `gh`: found by the marker in its body, made where there is none, rewritten
 * where it says something else, opened again and closed by itself.
 */
import { z } from 'zod';
import { AUDIT_MARKER, AUDIT_TITLE } from '../runs/audit.ts';
import type { ErrandTrouble } from '../runs/errand.ts';
import { gh, withBody } from './github.ts';
import { ghTrouble } from './remote-words.ts';
import { limitOf, type PushOptions } from './remote.ts';

const issueSchema = z.array(z.looseObject({ number: z.int(), url: z.string(), state: z.string(), body: z.string() }));
type Issue = z.output<typeof issueSchema>[number];
const FIELDS = ['--json', 'number,url,state,body'];
/** Newest first. An older one is found by GitHub's search, which lags behind by minutes and not by a thousand issues. */
const LISTED_MAX = '1000';

/** `undefined` = nothing was found, and there is no issue. */
export type IssueDone = { readonly done: 'created' | 'updated' | 'current' | 'closed' | 'none'; readonly url: string | null };

/** `body` undefined = there is nothing to say, and the issue is to be closed. */
export async function keepIssue(options: PushOptions, body: string | undefined, signal: AbortSignal): Promise<IssueDone | ErrandTrouble> {
  const found = await findIssue(options, signal);
  if (isTrouble(found)) return found;
  const step = async (...args: readonly string[]): Promise<ErrandTrouble | undefined> => {
    const told = await gh(options, args, signal);
    return told.code === 0 ? undefined : ghTrouble(told, `gh ${args.slice(0, 2).join(' ')}`, limitOf(options));
  };
  if (body === undefined) {
    if (found?.state !== 'OPEN') return { done: 'none', url: found?.url ?? null };
    return (await step('issue', 'close', String(found.number), '--comment', 'todone audit finds nothing any more.')) ?? { done: 'closed', url: found.url };
  }
  if (!found) {
    const made = await withBody(body, (file) => gh(options, ['issue', 'create', '--title', AUDIT_TITLE, '--body-file', file], signal));
    if (made.code !== 0) return ghTrouble(made, 'gh issue create', limitOf(options));
    return { done: 'created', url: /https?:\/\/\S+/.exec(made.out)?.[0] ?? null };
  }
  const same = found.body.replaceAll('\r\n', '\n').trim() === body.trim();
  if (same && found.state === 'OPEN') return { done: 'current', url: found.url };
  const number = String(found.number);
  const trouble =
    (same ? undefined : await withBody(body, (file) => step('issue', 'edit', number, '--body-file', file))) ??
    (found.state === 'OPEN' ? undefined : await step('issue', 'reopen', number));
  return trouble ?? { done: 'updated', url: found.url };
}

/** Where there are several, the open one, and then the oldest. */
async function findIssue(options: PushOptions, signal: AbortSignal): Promise<Issue | ErrandTrouble | undefined> {
  for (const more of [[], ['--search', `"${AUDIT_TITLE}" in:title`]]) {
    const listed = await gh(options, ['issue', 'list', '--state', 'all', '--limit', LISTED_MAX, ...FIELDS, ...more], signal);
    if (listed.code !== 0) return ghTrouble(listed, 'gh issue list', limitOf(options));
    const issues = readIssues(listed.out);
    if (!issues) return { kind: 'later', why: 'person', message: 'gh issue list printed no list that could be read', remedy: 'update gh (gh --version)' };
    const ours = issues.filter((issue) => issue.body.trimStart().startsWith(AUDIT_MARKER));
    const [first] = ours.toSorted((a, b) => Number(b.state === 'OPEN') - Number(a.state === 'OPEN') || a.number - b.number);
    if (first) return first;
  }
  return undefined;
}

const isTrouble = (found: Issue | ErrandTrouble | undefined): found is ErrandTrouble => found !== undefined && !('number' in found);

function readIssues(text: string): Issue[] | undefined {
  try {
    return issueSchema.parse(JSON.parse(text.trim() === '' ? '[]' : text));
  } catch {
    return undefined;
  }
}
