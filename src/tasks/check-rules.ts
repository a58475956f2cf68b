/**
 * Rules on one task and on the tags of one line, as tables: number, what is looked for, what is said. Never looks at
 * another task; that is `check-links.ts`.
 */
import type { CheckContext } from './check.ts';
import { isDate, isEstimate, isRecurrence } from './dates.ts';
import { REQUIRED_FIELDS } from './details.ts';
import { codeSpans } from './inline.ts';
import type { Severity, Tag, Task } from './task.ts';
import { canonicalKey, groupOf, KNOWN_KEYS } from './vocabulary.ts';
import { isWhite } from './white.ts';

type Words = { readonly severity: Severity; readonly message: string; readonly remedy: string };
export type TagFinding = Words & { readonly tag: Tag };

/** Over the tags of one line. */
export type TagRule = { readonly rule: string; readonly find: (tags: readonly Tag[], context: CheckContext) => readonly TagFinding[] };
export type TaskRule = { readonly rule: string; readonly find: (task: Task, context: CheckContext) => Words | undefined };

// ── tags ─────────────────────────────────────────────────────────────────────────────────────────

/** One tag by itself. */
export const VALUE_RULE: TagRule = { rule: '1.2', find: (tags, context) => tags.flatMap((tag) => tagWords(tag, context)) };

export const TAG_RULES: readonly TagRule[] = [VALUE_RULE, { rule: '1.2', find: severalAgents }, { rule: '1.2', find: severalPriorities }];

const EVERYBODY = new Set(['all', 'any', 'anyone', 'anybody', 'everyone', 'everybody', '*']);

type ValueRule = (value: string, tag: Tag, context: CheckContext) => Words | undefined;

/** Tags whose value can be wrong. */
const VALUE_RULES: Readonly<Record<string, ValueRule>> = {
  owner: ownerWords,
  every: (value, tag) =>
    isRecurrence(value)
      ? undefined
      : error(
          `${shown(tag)} says no time that ToDone can read, so the task could not come again.`,
          'Write a word such as {every:daily} or {every:weekly}, or cron with five fields such as {every:0 9 * * 1}.',
        ),
  'not-before': (value, tag) =>
    isDate(value)
      ? undefined
      : error(
          `${shown(tag)} is no date that ToDone can read, so it is not clear when the task may start.`,
          'Write it as {not-before:2026-12-01} or {not-before:2026-12-01T09:00}.',
        ),
  due: (value, tag) => (isDate(value) ? undefined : warning(`${shown(tag)} is no date that ToDone can read.`, 'Write it as {due:2026-12-01}.')),
  created: (value, tag) => (isDate(value) ? undefined : warning(`${shown(tag)} is no date that ToDone can read.`, 'Write it as {created:2026-12-01}.')),
  est: (value, tag) =>
    isEstimate(value) ? undefined : warning(`${shown(tag)} is no estimate that ToDone can read.`, 'Write it as {est:30m}, {est:2h} or {est:1d}.'),
  workflow: (value, tag, { workflows }) =>
    workflows.includes(value)
      ? undefined
      : error(
          `${shown(tag)} names no workflow of the config.`,
          `Define it under workflows, or use ${workflows.length > 0 ? `one of ${workflows.join(', ')}` : 'none'}.`,
        ),
  id: (value, tag) =>
    /^[\p{L}\p{N}_.-]{1,100}$/u.test(value)
      ? undefined
      : warning(`${shown(tag)} cannot be a name, so nothing can refer to this task by it.`, 'Use letters, digits, "-", "_" and "." only.'),
  parallel: (value, tag) =>
    /^[1-9]\d{0,3}$/.test(value)
      ? undefined
      : error(`${shown(tag)} is no number of tasks, so it is not clear how many may run side by side.`, 'Write it on the heading as {parallel:3}.'),
  after: (value, tag) =>
    /[^,\s]/.test(value)
      ? undefined
      : error(`${shown(tag)} names no task to wait for.`, 'Write the id or name of a task, such as {after:rotate}, or take the tag away.'),
};

function tagWords(tag: Tag, context: CheckContext): readonly TagFinding[] {
  if (/^p\d+$/.test(tag.key) && groupOf(tag.key) !== 'priority' && tag.value === undefined) {
    return [{ tag, ...warning(`${shown(tag)} is no priority; they go from {p0}, critical, to {p3}.`, 'Use {p0}, {p1}, {p2} or {p3}.') }];
  }
  if (!Object.hasOwn(VALUE_RULES, tag.key)) return [];
  const words = VALUE_RULES[tag.key]!(tag.value ?? '', tag, context);
  return words ? [{ tag, ...words }] : [];
}

function ownerWords(value: string, tag: Tag, { workers }: CheckContext): Words | undefined {
  if (EVERYBODY.has(value.toLowerCase()))
    return error(`${shown(tag)} would reserve the task for a worker of that name; a task without an owner is anyone's.`, 'Leave the tag out.');
  if (value === '') return error('{owner:} names nobody.', 'Name a worker, such as {owner:anna}, or leave the tag out.');
  if (workers.length > 0 && !workers.includes(value))
    return warning(
      `No worker is called "${value}" in the config, so nobody may ever take this task.`,
      `Use one of ${workers.join(', ')}, or add the name under workers.`,
    );
  return undefined;
}

function severalAgents(tags: readonly Tag[], { agents }: CheckContext): readonly TagFinding[] {
  const named = tags.filter((tag) => tag.value === undefined && agents.includes(tag.key));
  const second = named.find((tag) => tag.key !== named[0]!.key);
  if (!second) return [];
  return [{ tag: second, ...error(`${shown(named[0]!)} and ${shown(second)} both say which agent takes this task.`, 'Leave one of them.') }];
}

function severalPriorities(tags: readonly Tag[]): readonly TagFinding[] {
  const named = tags.filter((tag) => groupOf(tag.key) === 'priority');
  const second = named.find((tag) => tag.key !== named[0]!.key);
  if (!second) return [];
  return [{ tag: second, ...warning(`${shown(named[0]!)} and ${shown(second)} are two priorities; the first one counts.`, 'Leave one of them.') }];
}

// ── tasks ────────────────────────────────────────────────────────────────────────────────────────

export const TASK_RULES: readonly TaskRule[] = [
  { rule: '1.3-R1', find: missingComponents },
  { rule: '1.3-R1', find: vagueWording },
  { rule: '1.3-R1', find: tooLarge },
  { rule: '1.1-R2', find: emptyTitle },
  { rule: '1.1-R3', find: nearlyTag },
];

function missingComponents(task: Task, { granularity }: CheckContext): Words | undefined {
  if (granularity === 'off' || task.tags.some((tag) => tag.key === 'epic')) return undefined;
  const { fields } = task;
  const missing = REQUIRED_FIELDS.filter((key) => !fields.some((field) => field.key === key && field.value !== '') && !hasTag(task, key));
  if (missing.length === 0) return undefined;
  const message = missing.length === REQUIRED_FIELDS.length ? NOTHING_SAID : `This task does not say ${listed(missing)}.`;
  const remedy = missing.length === REQUIRED_FIELDS.length ? SAY_ALL : `Add below it: ${missing.map((key) => `${key}: …`).join(', ')}.`;
  return granularity === 'strict' ? error(message, remedy) : warning(message, remedy);
}

const NOTHING_SAID = `This task does not say ${listed(REQUIRED_FIELDS)}.`;
const SAY_ALL = `Add below it: ${REQUIRED_FIELDS.map((key) => `${key}: …`).join(', ')}.`;

function hasTag(task: Task, key: string): boolean {
  return task.tags.some((tag) => tag.key === key) || task.inherited.some((tag) => tag.key === key);
}

function listed(words: readonly string[]): string {
  return words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Words that leave open what is wanted. Plain alternatives: nothing here can backtrack. */
const VAGUE =
  /\b(?:etc|tbd|somehow|as needed|as appropriate|if necessary|if possible|and so on|and more|various|properly|make it better|clean ?up|polish|handle edge cases|improve things|fix everything|stuff|whatever|better error handling|best practices)\b/i;
const VAGUE_UNITS_MAX = 20_000;

function vagueWording({ title, details }: Task): Words | undefined {
  const found = VAGUE.exec(title) ?? (details === '' ? null : VAGUE.exec(details.slice(0, VAGUE_UNITS_MAX)));
  return found
    ? warning(`"${found[0]}" leaves open what is wanted, and an agent will guess.`, 'Say what exactly, and how one can tell that it is done.')
    : undefined;
}

const CONTEXT_TOKENS = 200_000;
const UNITS_PER_TOKEN = 4;
/** A rough measure of what reading and changing a file takes; a pattern stands for several. */
const TOKENS_PER_FILE = 4_000;
const TOKENS_PER_PATTERN = 16_000;
const SPLIT_ABOVE = 0.5;

/** About how much of an agent's context a task takes: its words, and the files that it names. */
export function contextShare(task: Task): number {
  const files = task.fields
    .filter((field) => field.key === 'files')
    .flatMap((field) => field.value.split(/[,\n]/))
    .filter((word) => word.trim() !== '');
  const forFiles = files.reduce((tokens, file) => tokens + (/[*?{[]/.test(file) ? TOKENS_PER_PATTERN : TOKENS_PER_FILE), 0);
  return ((task.text.length + task.details.length) / UNITS_PER_TOKEN + forFiles) / CONTEXT_TOKENS;
}

function tooLarge(task: Task): Words | undefined {
  const share = task.details === '' && task.text.length < CONTEXT_TOKENS ? 0 : contextShare(task);
  return share > SPLIT_ABOVE
    ? warning(`This task takes about ${Math.round(share * 100)} % of an agent's context: split required.`, 'Make several tasks of it, each with fewer files.')
    : undefined;
}

function emptyTitle({ title, details, tags }: Task): Words | undefined {
  if (title !== '' || (details === '' && tags.length === 0)) return undefined;
  return warning('This task has no words on its own line.', 'Say in a few words what is wanted, behind the marker.');
}

/** `{p1},` or `{p1}{codex}`: surely meant, but read as text. `/users/{id}` is not meant. */
function nearlyTag({ text }: Task, { agents, models }: CheckContext): Words | undefined {
  if (!text.includes('{')) return undefined;
  const code = text.includes('`') ? codeSpans(text) : [];
  let codeAt = 0;
  for (const match of text.matchAll(/\{([a-z][a-z0-9-]{0,40})(:[^{}]{0,200})?\}/gi)) {
    const start = match.index;
    const end = start + match[0].length;
    const before = start === 0 || isWhite(text.charCodeAt(start - 1));
    const after = end === text.length || isWhite(text.charCodeAt(end));
    if (before === after && !/[{}]/.test((text[start - 1] ?? '') + (text[end] ?? ''))) continue;
    while (codeAt < code.length && code[codeAt]!.end <= start) codeAt++;
    if ((before && after) || (codeAt < code.length && code[codeAt]!.start < start)) continue;
    if (isTag(match[1]!.toLowerCase(), match[2] !== undefined, [...agents, ...models])) {
      return warning(`${match[0]} is read as text, because a tag needs white space on both sides.`, 'Put a space on both sides of it.');
    }
  }
  return undefined;
}

function isTag(key: string, hasValue: boolean, bareNames: readonly string[]): boolean {
  const canonical = canonicalKey(key);
  const wants = Object.hasOwn(KNOWN_KEYS, canonical) ? KNOWN_KEYS[canonical] : bareNames.includes(key) ? 'bare' : undefined;
  return wants === 'either' || wants === (hasValue ? 'value' : 'bare');
}

function shown(tag: Tag): string {
  return tag.spelling === 'brace' ? `{${tag.text}}` : tag.spelling === 'dataview' ? `[${tag.text}]` : tag.text;
}

function error(message: string, remedy: string): Words {
  return { severity: 'error', message, remedy };
}

function warning(message: string, remedy: string): Words {
  return { severity: 'warning', message, remedy };
}
