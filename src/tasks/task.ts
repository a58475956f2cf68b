/**
 * The nouns of the task list: what a `tasks.md` says, as values (SPEC 1).
 * Never holds anything that ToDone knows from elsewhere; that is the runs room.
 *
 * Positions inside a `Section` are relative to the section's first character and line, so that an
 * unchanged section is shared between boards when text above it grows. `placeOf` gives the absolute place.
 * Offsets are UTF-16 units of the text without its BOM; lines and columns of a `Place` count from 1.
 */

export type Span = { readonly start: number; readonly end: number };

/** A place in the list, as an editor counts. */
export type Place = { readonly line: number; readonly column: number };

export type MarkerState = 'open' | 'blocked' | 'in_progress' | 'done' | 'failed' | 'cancelled';

/** The bracket at the start of a task: ToDone's word about it, and the person's lever on it. */
export type Marker = {
  readonly state: MarkerState;
  /** ToDone's id, where the bracket carries one. */
  readonly id?: string;
  /** The commit, abbreviated; `-` = done without one; absent on a done task = done by hand. */
  readonly hash?: string;
  /** A person's words inside the bracket of a blocked task. */
  readonly note?: string;
};

export type TagSpelling = 'brace' | 'emoji' | 'dataview' | 'label' | 'owner' | 'todotxt';

/** `{key}` or `{key:value}`, also from another spelling (1.2-R1); keys in lower case. */
export type Tag = {
  readonly key: string;
  readonly value?: string;
  readonly spelling: TagSpelling;
  /** As typed, without braces: `after:k3v9x2m1`. */
  readonly text: string;
  /** Relative to the section. Includes the braces. */
  readonly span: Span;
};

/** A `key: value` line in a task's details (1.3). */
export type Field = { readonly key: string; readonly value: string; readonly line: number };

export type Task = {
  /** The name that its section has, or '' outside any section. */
  readonly section: string;
  readonly marker: Marker;
  /** The bracket's characters, with a backslash before it where a formatter wrote one. */
  readonly markerSpan: Span;
  /** The head line from its first character up to its line end. */
  readonly headSpan: Span;
  /** The head line and all its details, subtasks included; ends before the next task, heading or unindented line. */
  readonly span: Span;
  /** Line within the section, from 0. */
  readonly line: number;
  /** Column of the marker, from 1. */
  readonly column: number;
  /** All of the head after the marker, trimmed, tags included: what a person typed. Identity together with the section. */
  readonly text: string;
  /** `text` without tags. */
  readonly title: string;
  /** `{id:x}`: a name a person gave, or ToDone's id written as a tag. */
  readonly name?: string;
  /** Typed on the line, in order. */
  readonly tags: readonly Tag[];
  /** From the phases, the section and the initiative, nearest first, without keys that a nearer one has. */
  readonly inherited: readonly Tag[];
  readonly fields: readonly Field[];
  /** Details as text for the agent: dedented, without subtasks and without notes. */
  readonly details: string;
  /** The quotes (`> …`) among the details, without `> `: where ToDone leaves notes, and a person may answer. */
  readonly notes: readonly string[];
  /** The white space that a detail line of this task needs. */
  readonly detailIndent: string;
  /** Hash of section, text and details without any marker or ToDone note: a change of state leaves it, a change of wish does not. */
  readonly fingerprint: string;
  /** How many tasks above in this section have the same text. */
  readonly occurrence: number;
  /** Index in `section.tasks` of the task that it is nested under. */
  readonly parent?: number;
  /** The nearest H3–H6 above, by its title. */
  readonly phase?: string;
  /** The H1 above, by its title. */
  readonly initiative?: string;
};

/**
 * A stretch of the list from one H1 or H2 to the next: a section in the sense of 1.1-R1 where `name` is set,
 * else other text (whose tasks are never dispatched).
 */
export type Section = {
  /** As typed after `Git Worktree`; undefined for any other heading and for the text before the first. */
  readonly name?: string;
  readonly title: string;
  readonly tags: readonly Tag[];
  readonly initiative?: string;
  /** The H3–H6 in it, in file order, with the tags on their own line. */
  readonly phases: readonly PhaseHeading[];
  /** In file order; subtasks follow their parent. */
  readonly tasks: readonly Task[];
  /** What the text itself shows to be wrong; places relative to the section (line from 0). */
  readonly problems: readonly SectionProblem[];
  readonly length: number;
  readonly lines: number;
};

/** An H3–H6; `line` within the section, from 0. */
export type PhaseHeading = { readonly level: number; readonly title: string; readonly tags: readonly Tag[]; readonly line: number };

export type Board = {
  /** The whole list as read, without a BOM. */
  readonly text: string;
  readonly sections: readonly Section[];
  /** `starts[i]` and `lines[i]`: offset and line (from 0) of `sections[i]`. */
  readonly starts: readonly number[];
  readonly lines: readonly number[];
  /** Fingerprints that the board before did not have: tasks typed or edited since. */
  readonly fresh: ReadonlySet<string>;
};

/** A task, and where it stands on one board. */
export type Located = { readonly task: Task; readonly sectionIndex: number; readonly taskIndex: number };

export type Severity = 'error' | 'warning';

/** A person's text or config that ToDone cannot follow: collected, never thrown. */
export type Problem = {
  readonly place: Place;
  /** The spec's rule: `1.4-R9`. */
  readonly rule: string;
  readonly severity: Severity;
  /** What is wrong and why, one sentence. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
  /** The tasks that it holds back: indices into the board; none = it only informs. */
  readonly holds?: readonly Located[];
};

export type SectionProblem = Omit<Problem, 'place' | 'holds'> & {
  /** Line within the section, from 0. */
  readonly line: number;
  readonly column: number;
  /** Indices into `section.tasks` that it holds back. */
  readonly holdsTasks?: readonly number[];
};

/** How an edit names a task: by id where it has one, else by its text (never by line alone). */
export type Target = {
  readonly section: string;
  readonly id?: string;
  readonly text: string;
  readonly occurrence: number;
};

/** A change of the list in words; `applyEdits` turns it into a splice. */
export type Edit =
  /** Sets the marker where the task still has one of the states in `expect` (and, with an id, that id or none). */
  | {
      readonly kind: 'mark';
      readonly target: Target;
      readonly expect: readonly MarkerState[];
      /** Where given, the task's fingerprint must still be this (a claim of a text that was just changed is refused). */
      readonly fingerprint?: string;
      readonly marker: Marker;
    }
  /** Adds `> …` lines at the end of the task's own details, in front of its subtasks. */
  | { readonly kind: 'note'; readonly target: Target; readonly text: string }
  | { readonly kind: 'addTag'; readonly target: Target; readonly key: string; readonly value?: string }
  | { readonly kind: 'removeTag'; readonly target: Target; readonly key: string }
  /** A new task as Markdown by remark-stringify; `where` is a place beside a task, or the end of a section. */
  | {
      readonly kind: 'insert';
      readonly where: { readonly at: 'above' | 'below'; readonly target: Target } | { readonly at: 'end'; readonly section: string };
      readonly task: NewTask;
      /** Inserts with the same number are all made, or none of them. */
      readonly together?: number;
      /** It may have been made before: where its first line or its id stands already, it is not made again. */
      readonly once?: true;
    }
  /** Other words for the title; its tags stay as they are typed, behind it. */
  | { readonly kind: 'retitle'; readonly target: Target; readonly title: string }
  /** Takes a tag off a section's or initiative's heading, or off one of the phases in it. */
  | { readonly kind: 'untagHeading'; readonly sectionTitle: string; readonly phase?: string; readonly key: string }
  /** A new phase with its tasks, at the end of a section. */
  | {
      readonly kind: 'addHeading';
      readonly section: string;
      readonly title: string;
      readonly tags: NewTask['tags'];
      readonly tasks: readonly NewTask[];
    }
  /** Takes a task off with all its lines, while these are exactly `text`. */
  | { readonly kind: 'remove'; readonly target: Target; readonly text: string }
  /** Lines that were taken off, put back; what is on the list already stays as it is. `heading` = the section's own line, where that is gone. */
  | { readonly kind: 'putBack'; readonly section: string; readonly heading: string; readonly blocks: readonly PutBack[] }
  /** The one line below a section's heading that says what was archived of it; without words there is none. */
  | { readonly kind: 'summarize'; readonly section: string; readonly words?: string };

/** Where lines stood that were taken off a section. */
export type PutBack = {
  /** Byte for byte, line ends included. */
  readonly text: string;
  /** The ids and names on them. */
  readonly ids: readonly string[];
  /** Hash of what was left of the section, and where in that they stood. */
  readonly rest: string;
  readonly offset: number;
  /** Hashes of the titles of the tasks that they stood beside in their phase, the nearest first. */
  readonly above: readonly string[];
  readonly below: readonly string[];
  readonly phase?: string;
};

export type NewTask = {
  readonly state: 'open' | 'blocked';
  readonly title: string;
  readonly tags: readonly { readonly key: string; readonly value?: string }[];
  readonly details?: string;
  readonly subtasks?: readonly NewTask[];
};

/** What became of one edit, in the order given. */
export type Edited =
  | { readonly kind: 'applied' }
  /** The list already says so. */
  | { readonly kind: 'already' }
  /** The task's line is gone, or its section is. */
  | { readonly kind: 'gone' }
  /** The task has another state, id or text than expected. */
  | { readonly kind: 'changed'; readonly marker: Marker };
