/**
 * The table as a commander program, and commander's complaints as failures (7-R2). Parses; runs nothing.
 */
import { Argument, Command, CommanderError, Help, Option } from 'commander';
import type { Host } from './app.ts';
import { type CommandRow, GROUPS, type OptionRow } from './command.ts';
import { type CliFailure, usage } from './failure.ts';
import { GLOBAL_OPTIONS } from './globals.ts';
import { pageEnd, topHelp } from './help.ts';
import { displayWidth, type Look, paint } from './layout.ts';
import { nearest } from './nearest.ts';

export type Parsed =
  | {
      readonly kind: 'command';
      readonly row: CommandRow;
      readonly typed: Readonly<Record<string, unknown>>;
      readonly globals: Readonly<Record<string, unknown>>;
    }
  /** Help or the version was asked for, and is printed. */
  | { readonly kind: 'shown' }
  | CliFailure;

const HELP_WIDTH = 80;

export function parseCommandLine(rows: readonly CommandRow[], argv: readonly string[], host: Pick<Host, 'version' | 'out'>, look: Look): Parsed {
  let found: Extract<Parsed, { kind: 'command' }> | undefined;
  const program = programOf(rows, host, look, (row, typed) => {
    found = { kind: 'command', row, typed, globals: program.opts() };
  });
  try {
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return complaint(error, rows, program, host, look);
  }
  return found ?? { kind: 'shown' };
}

type Chosen = (row: CommandRow, typed: Readonly<Record<string, unknown>>) => void;

function programOf(rows: readonly CommandRow[], host: Pick<Host, 'version' | 'out'>, look: Look, chosen: Chosen): Command {
  const program = new Command('todone').version(host.version, '-V, --version', 'show the version').helpOption('-h, --help', 'show help').exitOverride();
  program.configureOutput({
    writeOut: host.out,
    writeErr: () => undefined,
    getOutHelpWidth: () => look.width ?? HELP_WIDTH,
    getErrHelpWidth: () => look.width ?? HELP_WIDTH,
    getOutHasColors: () => look.color,
  });
  program.configureHelp({
    displayWidth,
    styleTitle: (text) => paint(look, 'strong', text),
    formatHelp: (command, help) => (command.parent === null ? topHelp(rows, look) : Help.prototype.formatHelp.call(help, command, help)),
  });
  for (const option of GLOBAL_OPTIONS) program.addOption(optionOf(option));
  for (const group of GROUPS) for (const row of rows.filter((candidate) => candidate.group === group)) addCommand(program, row, look, chosen);
  return program;
}

function addCommand(program: Command, row: CommandRow, look: Look, chosen: Chosen): void {
  const words = row.name.split(' ');
  const last = words.pop() ?? '';
  const parent = words.reduce(
    (above, word) =>
      above.commands.find((one) => one.name() === word) ??
      above
        .command(word)
        .description(GROUP_WORDS[word] ?? '')
        .helpCommand(false),
    program,
  );
  const command = parent
    .command(last, { hidden: row.hidden === true })
    .summary(row.summary)
    .description(row.details === undefined ? sentence(row.summary) : `${sentence(row.summary)}\n\n${row.details}`);
  for (const argument of row.arguments) {
    const made = new Argument(
      argument.optional ? `[${argument.name}${argument.many ? '...' : ''}]` : `<${argument.name}${argument.many ? '...' : ''}>`,
      argument.says,
    );
    command.addArgument(argument.choices ? made.choices(argument.choices) : made);
  }
  for (const option of row.options) command.addOption(optionOf(option));
  command.addHelpText('after', () => pageEnd(row, look));
  command.action(() => {
    const values = row.arguments.map((argument, at) => [argument.name, command.processedArgs[at] as unknown] as const);
    chosen(row, { ...command.opts(), ...Object.fromEntries(values.filter(([, value]) => value !== undefined)) });
  });
}

const GROUP_WORDS: Readonly<Record<string, string>> = { task: 'The tasks of the list, for people and (--json) for programs.' };

function optionOf(row: OptionRow): Option {
  const option = new Option(row.flags, row.says);
  if (row.choices) option.choices(row.choices);
  if (row.default !== undefined) option.default(row.default);
  return option;
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

// ── complaints ───────────────────────────────────────────────────────────────────────────────────

function complaint(error: CommanderError, rows: readonly CommandRow[], program: Command, host: Pick<Host, 'out'>, look: Look): Parsed {
  const words = program.args.filter((word) => !word.startsWith('-'));
  if (error.exitCode === 0) return { kind: 'shown' };
  switch (error.code) {
    case 'commander.help':
      if (words[0] !== undefined) return unfinished(words[0], rows);
      host.out(topHelp(rows, look));
      return { kind: 'shown' };
    case 'commander.unknownCommand':
      return unknownCommand(words, rows);
    default:
      return usage(clean(error.message), `${suggestion(error.message)}${helpFor(words, rows)}`);
  }
}

function unfinished(word: string, rows: readonly CommandRow[]): CliFailure {
  const names = rows.filter((row) => row.name.startsWith(`${word} `)).map((row) => `todone ${row.name}`);
  return usage(`todone ${word} needs one more word`, `write one of: ${names.join(', ')}`);
}

function unknownCommand(words: readonly string[], rows: readonly CommandRow[]): CliFailure {
  const visible = rows.filter((row) => !row.hidden).map((row) => row.name);
  const typed = words.slice(0, visible.some((name) => name.startsWith(`${words[0]} `)) ? 2 : 1).join(' ');
  // `todone list` means `todone task list`.
  const meant = visible.find((name) => name.endsWith(` ${typed}`)) ?? nearest(typed, visible) ?? nearest(typed.split(' ')[0] ?? '', visible);
  return usage(`there is no command ${typed}`, `${meant === undefined ? '' : `did you mean todone ${meant}? `}todone --help shows every command`);
}

const clean = (message: string): string =>
  message
    .replace(/^error: /, '')
    .replace(/\n?\(Did you mean .*\)$/s, '')
    .trim();

function suggestion(message: string): string {
  const meant = /\(Did you mean (?:one of )?(.*?)\?\)$/s.exec(message)?.[1];
  return meant === undefined ? '' : `did you mean ${meant}? `;
}

function helpFor(words: readonly string[], rows: readonly CommandRow[]): string {
  const row = [words.slice(0, 2).join(' '), words[0] ?? ''].flatMap((name) => rows.find((candidate) => candidate.name === name) ?? [])[0];
  return row ? `for example: ${row.examples[0]?.line ?? row.name}; todone ${row.name} --help shows what it takes` : 'todone --help shows every command';
}
