/**
 * The words that tags are made of (1.2), as tables: which keys belong together, and how Obsidian Tasks and Dataview
 * spell them (1.2-R1). Never decides what a tag does.
 */

/** Keys that say the same. */
const ALIASES: Readonly<Record<string, string>> = {
  requires_triage: 'triage',
  requires_decision: 'decision',
  requires_investigation: 'investigation',
  autonomous_safe: 'safe',
};

/** Keys of which the nearest one wins over the others of its group. */
const GROUPS: Readonly<Record<string, string>> = {
  p0: 'priority',
  p1: 'priority',
  p2: 'priority',
  p3: 'priority',
  triage: 'lane',
  decision: 'lane',
  investigation: 'lane',
  safe: 'lane',
};

export const PRIORITIES = ['p0', 'p1', 'p2', 'p3'] as const;
export const LANES = ['triage', 'decision', 'investigation', 'safe'] as const;
export type Lane = (typeof LANES)[number];

/** Keys of 1.2 that mean something, and whether they want a value. Agents, models and lanes' aliases come on top. */
export const KNOWN_KEYS: Readonly<Record<string, 'bare' | 'value' | 'either'>> = {
  id: 'value',
  after: 'value',
  p0: 'bare',
  p1: 'bare',
  p2: 'bare',
  p3: 'bare',
  model: 'value',
  quick: 'bare',
  workflow: 'value',
  owner: 'value',
  triage: 'bare',
  decision: 'bare',
  investigation: 'bare',
  safe: 'bare',
  approval: 'bare',
  epic: 'bare',
  every: 'value',
  'not-before': 'value',
  due: 'value',
  est: 'value',
  relates: 'value',
  hold: 'either',
  created: 'value',
  fresh: 'bare',
  redo: 'bare',
  'no-commit': 'bare',
  verify: 'value',
  by: 'value',
  parallel: 'value',
};

/** The key by its main name. */
export function canonicalKey(key: string): string {
  return Object.hasOwn(ALIASES, key) ? ALIASES[key]! : key;
}

/** What a nearer tag takes the place of: its group's name, or its own key. */
export function groupOf(key: string): string {
  const canonical = canonicalKey(key);
  return Object.hasOwn(GROUPS, canonical) ? GROUPS[canonical]! : canonical;
}

type EmojiTag = {
  readonly emoji: string;
  readonly key: string;
  readonly value: 'none' | 'date' | 'id' | 'ids' | 'rule';
  /** Read only where nothing but tags follows, as Obsidian does: in the middle of a title it is a picture. */
  readonly atEnd: boolean;
};

export const EMOJI_TAGS: readonly EmojiTag[] = [
  { emoji: '🔺', key: 'p0', value: 'none', atEnd: false },
  { emoji: '⏫', key: 'p1', value: 'none', atEnd: false },
  { emoji: '🔼', key: 'p2', value: 'none', atEnd: false },
  { emoji: '🔽', key: 'p3', value: 'none', atEnd: false },
  { emoji: '⏬', key: 'p3', value: 'none', atEnd: false },
  { emoji: '📅', key: 'due', value: 'date', atEnd: false },
  { emoji: '🛫', key: 'not-before', value: 'date', atEnd: false },
  { emoji: '⏳', key: 'not-before', value: 'date', atEnd: false },
  { emoji: '🆔', key: 'id', value: 'id', atEnd: true },
  { emoji: '⛔', key: 'after', value: 'ids', atEnd: true },
  { emoji: '🔁', key: 'every', value: 'rule', atEnd: true },
];

const DATAVIEW_KEYS: Readonly<Record<string, string>> = {
  dependson: 'after',
  start: 'not-before',
  scheduled: 'not-before',
  repeat: 'every',
  due: 'due',
  id: 'id',
  created: 'created',
};
const DATAVIEW_PRIORITIES: Readonly<Record<string, string>> = { highest: 'p0', high: 'p1', medium: 'p2', low: 'p3', lowest: 'p3' };

/** `[key:: value]` as a tag. */
export function fromDataview(key: string, value: string): { readonly key: string; readonly value?: string } {
  const name = key.toLowerCase();
  const word = value.toLowerCase();
  if (name === 'priority' && Object.hasOwn(DATAVIEW_PRIORITIES, word)) return { key: DATAVIEW_PRIORITIES[word]! };
  const mapped = Object.hasOwn(DATAVIEW_KEYS, name) ? DATAVIEW_KEYS[name]! : name;
  return { key: mapped, value: mapped === 'every' ? recurrence(value) : value };
}

/** A tag as `[key:: value]`; undefined where it has no such spelling. */
export function toDataview(key: string, value: string | undefined): string | undefined {
  if (value === undefined) {
    const word = Object.entries(DATAVIEW_PRIORITIES).find(([, priority]) => priority === key)?.[0];
    return word === undefined ? undefined : `[priority:: ${word}]`;
  }
  const name = key === 'after' ? 'dependsOn' : key === 'not-before' ? 'start' : key === 'every' ? 'repeat' : key;
  return /[[\]]/.test(value) ? undefined : `[${name}:: ${value}]`;
}

/** A tag as Obsidian's emoji; undefined where it has none. */
export function toEmoji(key: string, value: string | undefined): string | undefined {
  const found = EMOJI_TAGS.find((tag) => tag.key === key);
  if (!found) return undefined;
  if (found.value === 'none') return value === undefined ? found.emoji : undefined;
  if (value === undefined || (found.value === 'date' && !/^\d{4}-\d{2}-\d{2}$/.test(value))) return undefined;
  return `${found.emoji} ${value}`;
}

/** Obsidian's `every week` is `weekly` here; other words stay. */
export function recurrence(words: string): string {
  const rest = words
    .trim()
    .toLowerCase()
    .replace(/^every\s+/, '')
    .replace(/\s+when done$/, '');
  const unit: Readonly<Record<string, string>> = { hour: 'hourly', day: 'daily', week: 'weekly', month: 'monthly', year: 'yearly', weekday: 'weekdays' };
  return Object.hasOwn(unit, rest) ? unit[rest]! : rest;
}

/** todo.txt's `(A)` as a priority. */
export function todoTxtPriority(letter: string): string {
  return PRIORITIES[Math.min(3, letter.charCodeAt(0) - 0x41)] ?? 'p3';
}
