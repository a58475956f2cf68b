/**
 * Which rule has which tests, and how they went: from the titles of the tests, which begin with their rules. Never
 * runs anything.
 */
import { z } from 'zod';

const ruleSchema = z.strictObject({
  rule: z.string().regex(/^\d+(?:\.\d+)?-R\d+$/),
  text: z.string().min(1),
  /** The topic with which the rule comes, where it is not here yet. */
  later: z.string().optional(),
});
export const rulesSchema = z.array(ruleSchema);
type Rule = z.infer<typeof ruleSchema>;

/** What this needs of vitest's JSON report. */
export const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(z.object({ title: z.string(), status: z.string() })),
    }),
  ),
});
type Report = z.infer<typeof reportSchema>;

export type Totals = { readonly passed: number; readonly failed: number; readonly skipped: number };

export type Row = {
  readonly rule: string;
  readonly text: string;
  readonly tests: number;
  readonly result: 'passed' | 'failed' | 'missing' | 'later';
  readonly later?: string;
};

export type Conformance = {
  readonly rows: readonly Row[];
  /** Rules that tests name and the list does not have. */
  readonly unknown: readonly string[];
  readonly ok: boolean;
};

/** Sections whose every rule needs a test by now, unless it is marked for later. */
const NEEDED = /^(?:[1-47-8]|5\.[12]|[14]\.\d)(?:-|\.)/;
const RULE = /^\s*(?:and\s+|,\s*)?(\d+(?:\.\d+)?-R\d+)\b/;

export function conformance(rules: readonly Rule[], report: Report): Conformance {
  const tests = new Map<string, string[]>();
  for (const { title, status } of report.testResults.flatMap((file) => file.assertionResults)) {
    for (const rule of rulesOf(title)) tests.set(rule, [...(tests.get(rule) ?? []), status]);
  }
  const rows = rules.map((rule) => rowOf(rule, tests.get(rule.rule) ?? []));
  const known = new Set(rules.map(({ rule }) => rule));
  const unknown = [...tests.keys()].filter((rule) => !known.has(rule));
  const bad = rows.some((row) => row.result === 'failed' || (row.result === 'missing' && NEEDED.test(row.rule)));
  return { rows, unknown, ok: !bad && unknown.length === 0 };
}

/** `1.4-R3 keeps …`, `1.4-R3, 2-R2 keep …`: the rules that a title begins with. */
export function rulesOf(title: string): string[] {
  const found: string[] = [];
  let rest = title;
  for (let match = RULE.exec(rest); match?.[1]; match = RULE.exec(rest)) {
    found.push(match[1]);
    rest = rest.slice(match[0].length);
  }
  return found;
}

function rowOf({ rule, text, later }: Rule, statuses: readonly string[]): Row {
  const ran = statuses.filter((status) => status === 'passed' || status === 'failed');
  const result = statuses.includes('failed') ? 'failed' : ran.length > 0 ? 'passed' : later === undefined ? 'missing' : 'later';
  return { rule, text, tests: ran.length, result, ...(later !== undefined && { later }) };
}

/** A file that could not even be loaded counts as one failure. */
export function totals(report: Report): Totals {
  const all = report.testResults.flatMap((file) => {
    const statuses = file.assertionResults.map(({ status }) => status);
    return file.status === 'failed' && !statuses.includes('failed') ? [...statuses, 'failed'] : statuses;
  });
  const count = (wanted: string): number => all.filter((status) => status === wanted).length;
  return { passed: count('passed'), failed: count('failed'), skipped: all.length - count('passed') - count('failed') };
}

const WORDS: Readonly<Record<Row['result'], (row: Row) => string>> = {
  passed: (row) => `passed${row.later === undefined ? '' : ` (more with: ${row.later})`}`,
  failed: () => 'FAILED',
  missing: (row) => (NEEDED.test(row.rule) ? 'NO TEST' : 'open'),
  later: (row) => `open: ${row.later}`,
};

const TEXT_CHARS = 100;

export function printed({ rows, unknown }: Conformance): string {
  const lines = rows.map((row) => [
    row.rule,
    row.text.length > TEXT_CHARS ? `${row.text.slice(0, TEXT_CHARS - 1)}…` : row.text,
    String(row.tests || ''),
    WORDS[row.result](row),
  ]);
  const head = ['rule', 'what it says', 'tests', 'result'];
  const widths = head.map((word, column) => Math.max(word.length, ...lines.map((line) => (line[column] ?? '').length)));
  const table = [head, widths.map((width) => '-'.repeat(width)), ...lines].map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(' | ')
      .trimEnd(),
  );
  const counts = (['passed', 'failed', 'missing', 'later'] as const).map((result) => `${rows.filter((row) => row.result === result).length} ${result}`);
  const strangers = unknown.map((rule) => `A test names ${rule}, which is no rule: correct its title.`);
  return [...table, '', `${rows.length} rules: ${counts.join(', ')}`, ...strangers].join('\n');
}
