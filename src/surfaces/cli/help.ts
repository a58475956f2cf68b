/**
 * Help: one screen that a newcomer can begin with, and a page with examples for every command. Made from the table.
 */
import { type CommandRow, GROUPS } from './command.ts';
import { GLOBAL_OPTIONS } from './globals.ts';
import { type Cell, displayWidth, type Look, paint, table, wrap } from './layout.ts';

const LIST: readonly (readonly [string, string])[] = [
  ['## Git Worktree hello', 'a section: one branch, one group of tasks'],
  ['[] Greet the reader', 'a task: one line, details indented below it'],
  ['  verify: test -s HELLO.md', 'a command that has to pass before it lands'],
  ['[⏰] Count the words', 'waits for every task above it'],
];

const MARKERS: readonly (readonly [string, string, string, string])[] = [
  ['[]', 'may start now', '[⏰]', 'waits for all above'],
  ['[🟡 id]', 'being worked on', '[✅ hash, id]', 'done: that commit'],
  ['[❌ id]', 'failed, reason below', '[-]', 'cancelled'],
];

const FIRST: readonly (readonly [string, string])[] = [
  ['todone init', 'make a list in this repository'],
  ['todone start', 'work on it until you press Ctrl-C'],
  ['todone status', 'see what goes on, and what waits for you'],
];

/** `todone --help`. */
export function topHelp(rows: readonly CommandRow[], look: Look): string {
  const title = (text: string): string => paint(look, 'strong', text);
  const groups = GROUPS.flatMap((group) => {
    const own = rows.filter((row) => row.group === group && !row.hidden);
    const minor = own.filter((row) => row.minor).map(({ name }) => name.split(' ').slice(1).join(' '));
    const lines = own.filter((row) => !row.minor).map(({ name, summary }) => ({ name, summary }));
    if (minor.length > 0) lines.push({ name: 'task …', summary: minor.join(', ') });
    return lines.map(({ name, summary }, at) => [
      { text: at === 0 ? group : '', tone: 'strong' as const },
      { text: name, tone: 'name' as const },
      { text: summary },
    ]);
  });
  return `${[
    'todone turns a Markdown task list into finished commits.',
    '',
    title('Write tasks.md, in any editor, at any time:'),
    ...listLines(look),
    title('The markers, and what they say:'),
    ...table([{}, {}, {}, { shrinksTo: 10 }], MARKERS.map(cells), look, '  '),
    '',
    title('Three commands to begin with:'),
    ...table([{}, { shrinksTo: 20 }], FIRST.map(cells), look, '  '),
    '',
    title('Commands'),
    ...table([{}, {}, { shrinksTo: 20 }], groups, look, '  '),
    '',
    ...wrap(`Everywhere: ${GLOBAL_OPTIONS.map(({ flags }) => flags.replaceAll(' ', HARD_SPACE)).join(', ')}`, look).map((line) =>
      line.replaceAll(HARD_SPACE, ' '),
    ),
    'todone <command> --help shows its options and examples. Exit codes: 0 fine,',
    '1 something failed, 2 usage or config, 3 refused, 130 interrupted.',
  ].join('\n')}\n`;
}

/** What stands below commander's own page for a command. */
export function pageEnd(row: CommandRow, look: Look): string {
  const examples = row.examples.flatMap((example) => [`  ${paint(look, 'name', example.line)}`, `      ${example.says}`]);
  const forms = [
    ...(row.json === undefined ? [] : ['--json prints one document with schemaVersion']),
    ...(row.quiet === undefined ? [] : [`--quiet ${row.quiet}`]),
  ];
  return [
    '',
    paint(look, 'strong', 'Examples:'),
    ...examples,
    '',
    ...optionLines(look),
    ...(forms.length > 0 ? ['', ...wrap(`${forms.join('; ')}.`, look)] : []),
  ].join('\n');
}

/** Keeps an option and its value on one line. */
const HARD_SPACE = '\u00a0';

const listLines = (look: Look): string[] =>
  LIST.map(([line, says]) => `  ${line}${' '.repeat(LIST_COLUMNS - displayWidth(line))}${paint(look, 'faint', says)}`);
const LIST_COLUMNS = 32;

const cells = (texts: readonly string[]): Cell[] => texts.map((text) => ({ text }));

function optionLines(look: Look): string[] {
  return [
    paint(look, 'strong', 'Everywhere'),
    ...table(
      [{}, { shrinksTo: 20 }],
      GLOBAL_OPTIONS.map(({ flags, says }) => [{ text: flags }, { text: says }]),
      look,
      '  ',
    ),
  ];
}
