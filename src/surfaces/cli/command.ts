/**
 * What a command is: a row of the table in `commands.ts`, and what its handler gives back. A handler names values and how to show
 * them; which form is printed, and that nothing unsafe is in it, is decided once, in `cli.ts`.
 */
import type { z } from 'zod';
import { plainText } from '../../runs/plain-text.ts';
import type { WrittenConfig } from '../../config.ts';
import type { App, Globals, Host } from './app.ts';
import { type CliFailure, EXIT, type ExitCode, isFailure } from './failure.ts';
import type { DocumentName } from './json.ts';
import type { Look } from './layout.ts';

export const GROUPS = ['Work', 'Look', 'Steer', 'Branch', 'Tasks', 'Upkeep', 'Serve', 'Set up'] as const;
export type Group = (typeof GROUPS)[number];

/** What a value completes to on the command line. */
export type Completes = 'task' | 'section' | 'agent' | 'path' | 'nothing';

export type ArgumentRow = {
  readonly name: string;
  readonly says: string;
  readonly optional?: boolean;
  readonly many?: boolean;
  readonly choices?: readonly string[];
  readonly completes?: Completes;
};
export type OptionRow = {
  /** As commander reads it: `-f, --follow`, `--limit <n>`. */
  readonly flags: string;
  readonly says: string;
  readonly default?: string | number;
  readonly choices?: readonly string[];
  readonly completes?: Completes;
};
export type Example = { readonly line: string; readonly says: string };

export type CommandRow = {
  /** With the group's word in front: `task list`. */
  readonly name: string;
  readonly group: Group;
  /** One line, for the top help. */
  readonly summary: string;
  readonly details?: string;
  readonly arguments: readonly ArgumentRow[];
  readonly options: readonly OptionRow[];
  readonly examples: readonly Example[];
  /** The document that `--json` prints, and what `--quiet` does; undefined where there is nothing to say in that form. */
  readonly json: DocumentName | undefined;
  readonly quiet: string | undefined;
  readonly hidden?: boolean;
  /** In the help of its group, and in the top help only by name. */
  readonly minor?: boolean;
  /** Arguments and options as typed, by their names in camel case. */
  readonly read: (typed: Readonly<Record<string, unknown>>) => { readonly input: unknown } | { readonly problem: CliFailure };
  readonly overrides: (input: unknown) => Pick<Globals, 'overrides' | 'demo'>;
  readonly run: (context: Context, input: unknown) => Promise<Result>;
};

export type Context = {
  readonly host: Host;
  readonly globals: Globals;
  /** The width may change while a command runs. */
  readonly look: () => Look;
  readonly rows: readonly CommandRow[];
  /** Prints in the form that was asked for; for commands that say more than one thing. */
  readonly print: (outcome: Outcome, jsonIndent?: number) => void;
};

/** What a handler gives back: something to show, a failure, or only an exit code where it has printed itself. */
export type Result = Outcome | CliFailure | ExitCode;

export type Outcome = {
  readonly kind: 'outcome';
  readonly code: ExitCode;
  readonly text: (look: Look) => string;
  readonly json: () => unknown;
  /** Ids or handles. */
  readonly quiet: () => readonly string[];
};

/** Values and their three forms. What a person sees is made safe here, before it is laid out (13-R2). */
export function show<V>(shown: {
  readonly code?: ExitCode;
  readonly view: V;
  readonly text: (view: V, look: Look) => string;
  readonly json: (view: V) => unknown;
  readonly quiet: (view: V) => readonly string[];
}): Outcome {
  return {
    kind: 'outcome',
    code: shown.code ?? EXIT.fine,
    text: (look) => shown.text(plain(shown.view), look),
    json: () => shown.json(shown.view),
    quiet: () => shown.quiet(plain(shown.view)).map((line) => line.replaceAll(/\s+/g, ' ')),
  };
}

/** Every text within a value, made safe to show. */
export function plain<V>(value: V): V {
  if (typeof value === 'string') return plainText(value) as V;
  if (Array.isArray(value)) return value.map((item: unknown) => plain(item)) as V;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [plainText(key), plain<unknown>(item)])) as V;
}

type TypedRow<S extends z.ZodType> = Omit<CommandRow, 'read' | 'overrides' | 'run'> & {
  readonly input: S;
  readonly overrides?: (input: z.output<S>) => WrittenConfig;
  readonly demo?: (input: z.output<S>) => boolean;
  readonly run: (context: Context, input: z.output<S>) => Promise<Result>;
};

/** A row whose handler gets its arguments and options checked and typed. */
export function command<S extends z.ZodType>({ input: schema, overrides, demo, run, ...row }: TypedRow<S>): CommandRow {
  return {
    ...row,
    read(typed) {
      const parsed = schema.safeParse(typed);
      if (parsed.success) return { input: parsed.data };
      const [issue] = parsed.error.issues;
      const name = String(issue?.path[0] ?? '');
      const option = row.options.find(({ flags }) => attributeOf(flags) === name);
      const about = option ? longFlag(option.flags) : name;
      return {
        problem: {
          kind: 'failure',
          code: EXIT.usage,
          message: `${about === '' ? '' : `${about}: `}${issue?.message ?? 'not understood'}`,
          remedy: `todone ${row.name} --help shows what it takes`,
        },
      };
    },
    overrides: (input) => ({ overrides: overrides?.(input as z.output<S>) ?? {}, demo: demo?.(input as z.output<S>) ?? false }),
    run: (context, input) => run(context, input as z.output<S>),
  };
}

/** `-f, --follow` → `follow`, `--dry-run` → `dryRun`. */
export const attributeOf = (flags: string): string =>
  longFlag(flags)
    .replace(/^--(?:no-)?/, '')
    .replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

export const longFlag = (flags: string): string => /--[a-z-]+/.exec(flags)?.[0] ?? flags;

type Opened = <I>(run: (app: App, input: I, context: Context) => Promise<Result>) => (context: Context, input: I) => Promise<Result>;

const opening =
  (listless: boolean): Opened =>
  (run) =>
  async (context, input) => {
    const app = await context.host.open(context.globals, listless);
    return isFailure(app) ? app : run(app, input, context);
  };

/** The handler of a command that needs an opened list. */
export const withApp = opening(false);

/** Of one that is there, above all, when the list is not: it looks at what is kept. */
export const withoutList = opening(true);
