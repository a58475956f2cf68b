/**
 * The options that every command takes, before or after its name.
 */
import type { Globals } from './app.ts';
import type { OptionRow } from './command.ts';

export const GLOBAL_OPTIONS: readonly OptionRow[] = [
  { flags: '-C, --repo <dir>', says: 'the repository (default: the one that you are in)', completes: 'path' },
  { flags: '--tasks <file>', says: 'the list (default: tasks.md)', completes: 'path' },
  { flags: '--config <file>', says: 'the config (default: todone.config.json or .yaml)', completes: 'path' },
  { flags: '--as <name>', says: 'who you are (default: TODONE_INSTANCE, or <user>@<host>)' },
  { flags: '--json', says: 'one JSON document on stdout' },
  { flags: '--quiet', says: 'only ids or handles, one a line' },
  { flags: '--verbose', says: 'more words; stack traces of errors' },
  { flags: '--no-color', says: 'no colours (as NO_COLOR, and without a terminal)' },
];

/** From the options as typed. */
export function globalsOf(typed: Readonly<Record<string, unknown>>): Globals {
  const text = (key: string): string | undefined => (typeof typed[key] === 'string' ? typed[key] : undefined);
  return {
    repo: text('repo'),
    tasks: text('tasks'),
    config: text('config'),
    as: text('as'),
    json: typed['json'] === true,
    quiet: typed['quiet'] === true,
    verbose: typed['verbose'] === true,
    color: typed['color'] !== false,
    overrides: {},
    demo: false,
  };
}
