/**
 * Completion for bash, zsh and fish: three small scripts that ask `todone complete`, and the answer to that question. What cannot be
 * found out (no repository, a broken config) completes to nothing; it never prints an error into a person's prompt.
 */
import { taskViews } from '../../runs/view.ts';
import type { App, Globals } from './app.ts';
import type { CommandRow, Completes, Context, OptionRow } from './command.ts';
import { plain } from './command.ts';
import { isFailure } from './failure.ts';
import { GLOBAL_OPTIONS, globalsOf } from './globals.ts';
import { oneLine, shorten } from './layout.ts';
import { nameOf, sectionNames } from './status.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export type Candidate = { readonly value: string; readonly says: string };

const TITLE_COLUMNS_MAX = 60;
const CANDIDATES_MAX = 500;

/** What may stand where the last of `words` stands. */
export async function complete(context: Context, words: readonly string[]): Promise<readonly Candidate[]> {
  const typed = words.at(-1) ?? '';
  const place = placeOf(context.rows, words.slice(0, -1));
  const candidates = await candidatesFor(context, place, typed);
  return candidates.filter(({ value }) => value.startsWith(typed)).slice(0, CANDIDATES_MAX);
}

type Place = {
  /** The words of the command so far, and the command once they name one. */
  readonly name: readonly string[];
  readonly row: CommandRow | undefined;
  readonly positionals: number;
  /** The option that waits for its value. */
  readonly valueOf: OptionRow | undefined;
  /** Global options typed so far, so that the right list is asked. */
  readonly globals: Readonly<Record<string, unknown>>;
};

function placeOf(rows: readonly CommandRow[], words: readonly string[]): Place {
  const name: string[] = [];
  const globals: Record<string, unknown> = {};
  let positionals = 0;
  let valueOf: OptionRow | undefined;
  for (const word of words) {
    const row = rowNamed(rows, name);
    if (valueOf) {
      const global = GLOBAL_OPTIONS.find((option) => option === valueOf);
      if (global) globals[attribute(global)] = word;
      valueOf = undefined;
    } else if (word.startsWith('-')) {
      const option = [...GLOBAL_OPTIONS, ...(row?.options ?? [])].find(({ flags }) => flagsOf(flags).includes(word));
      valueOf = option && takesValue(option) ? option : undefined;
    } else if (row) positionals++;
    else name.push(word);
  }
  return { name, row: rowNamed(rows, name), positionals, valueOf, globals };
}

async function candidatesFor(context: Context, place: Place, typed: string): Promise<readonly Candidate[]> {
  const { row, valueOf } = place;
  if (valueOf) return valuesOf(context, place, valueOf.choices, valueOf.completes);
  if (typed.startsWith('-')) return optionCandidates([...(row?.options ?? []), ...GLOBAL_OPTIONS, HELP_OPTION]);
  if (!row) return commandCandidates(context.rows, place.name);
  const argument = row.arguments[place.positionals] ?? row.arguments.findLast(({ many }) => many);
  return argument ? valuesOf(context, place, argument.choices, argument.completes) : [];
}

const HELP_OPTION: OptionRow = { flags: '-h, --help', says: 'show help' };

function commandCandidates(rows: readonly CommandRow[], name: readonly string[]): Candidate[] {
  const found = new Map<string, string>();
  for (const row of rows) {
    const parts = row.name.split(' ');
    if (row.hidden || name.some((word, at) => parts[at] !== word)) continue;
    const next = parts[name.length];
    if (next !== undefined && !found.has(next)) found.set(next, parts.length === name.length + 1 ? row.summary : 'the tasks');
  }
  return [...found].map(([value, says]) => ({ value, says }));
}

const optionCandidates = (options: readonly OptionRow[]): Candidate[] => options.map(({ flags, says }) => ({ value: flagsOf(flags).at(-1) ?? flags, says }));

async function valuesOf(
  context: Context,
  place: Place,
  choices: readonly string[] | undefined,
  completes: Completes | undefined,
): Promise<readonly Candidate[]> {
  if (choices) return choices.map((value) => ({ value, says: '' }));
  if (completes === undefined || completes === 'nothing' || completes === 'path') return [];
  const globals: Globals = { ...context.globals, ...globalsOf(place.globals) };
  const app = await context.host.open(globals).catch(() => undefined);
  return !app || isFailure(app) ? [] : namesIn(app, completes);
}

async function namesIn(app: App, completes: 'task' | 'section' | 'agent'): Promise<readonly Candidate[]> {
  if (completes === 'agent') return app.agents().map(({ name, installed }) => ({ value: name, says: installed ? '' : 'not installed' }));
  const scene = await app.scene();
  if (completes === 'section') return sectionNames(scene).map((value) => ({ value: plain(value), says: '' }));
  return taskViews(scene).map((view) => plain({ value: nameOf(view), says: shorten(oneLine(view.title), TITLE_COLUMNS_MAX) }));
}

const rowNamed = (rows: readonly CommandRow[], name: readonly string[]): CommandRow | undefined => rows.find((row) => row.name === name.join(' '));
const flagsOf = (flags: string): string[] => flags.split(/[ ,]+/).filter((part) => part.startsWith('-'));
const takesValue = (option: OptionRow): boolean => /[<[]/.test(option.flags);
const attribute = (option: OptionRow): string => (flagsOf(option.flags).at(-1) ?? '').replace(/^--/, '');

/** For the shell's own start-up file. */
export const completionScript = (shell: Shell): string => SCRIPTS[shell];

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# todone: completion for bash. In ~/.bashrc: source <(todone completion bash)
_todone_complete() {
  local IFS=$'\\n' line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(todone complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [ "\${#COMPREPLY[@]}" -eq 0 ]; then compopt -o default 2>/dev/null; fi
}
complete -F _todone_complete todone
`,
  zsh: `#compdef todone
# todone: completion for zsh. In ~/.zshrc, after compinit: source <(todone completion zsh)
_todone() {
  local -a found
  local line
  while IFS= read -r line; do
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(todone complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe 'todone' found; else _files; fi
}
compdef _todone todone
`,
  fish: `# todone: completion for fish. todone completion fish > ~/.config/fish/completions/todone.fish
function __todone_complete
  set -l words (commandline -opc) (commandline -ct)
  todone complete -- $words[2..-1] 2>/dev/null
end
complete -c todone -f -a '(__todone_complete)'
`,
};
