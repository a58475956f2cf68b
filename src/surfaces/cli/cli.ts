/**
 * `todone` from its arguments to its exit code: parse, open, run, print in the form that was asked for. The one place where output
 * is chosen and written. Never catches a bug; `main.ts` does.
 */
import { ListRefused } from '../../engine/ports.ts';
import type { Globals, Host } from './app.ts';
import { type CommandRow, type Context, type Outcome, plain, type Result } from './command.ts';
import { COMMANDS } from './commands.ts';
import { type CliFailure, CODE_NAMES, EXIT, type ExitCode, refused } from './failure.ts';
import { globalsOf } from './globals.ts';
import { documentOf, INDENT, jsonText } from './json-text.ts';
import type { Look } from './layout.ts';
import { parseCommandLine } from './program.ts';
import { renderFailure } from './render-failure.ts';

/** `argv` = the words after the program's name. */
export async function runCli(argv: readonly string[], host: Host, rows: readonly CommandRow[] = COMMANDS): Promise<ExitCode> {
  const roughly = roughGlobals(argv);
  const parsed = parseCommandLine(rows, argv, host, lookOf(host, roughly));
  if (parsed.kind === 'shown') return EXIT.fine;
  if (parsed.kind === 'failure') return fail(parsed, host, roughly);
  const globals = globalsOf(parsed.globals);
  const { row } = parsed;
  const read = row.read(parsed.typed);
  if ('problem' in read) return fail(read.problem, host, globals);
  const context = contextOf(host, { ...globals, ...row.overrides(read.input) }, rows);
  return finish(await caught(() => row.run(context, read.input)), context);
}

function contextOf(host: Host, globals: Globals, rows: readonly CommandRow[]): Context {
  const look = (): Look => lookOf(host, globals);
  return {
    host,
    globals,
    look,
    rows,
    print: (outcome, indent = INDENT) => host.out(formOf(outcome, globals, look(), indent)),
  };
}

function formOf(outcome: Outcome, globals: Globals, look: Look, indent: number): string {
  if (globals.json) return jsonText(outcome.json(), indent);
  return globals.quiet
    ? outcome
        .quiet()
        .map((line) => `${line}\n`)
        .join('')
    : outcome.text(look);
}

function finish(result: Result, context: Context): ExitCode {
  if (typeof result === 'number') return result;
  if (result.kind === 'failure') return fail(result, context.host, context.globals);
  context.print(result);
  return result.code;
}

/** With --json the failure is the document; else it goes to stderr. */
function fail(failure: CliFailure, host: Host, globals: Globals): ExitCode {
  const { kind: _kind, stack, code, ...words } = failure;
  if (globals.json)
    host.out(jsonText(documentOf({ error: { code, name: CODE_NAMES[code], ...words, ...(globals.verbose && stack !== undefined ? { stack } : {}) } }), INDENT));
  else host.err(renderFailure(plain(failure), lookOf(host, globals), globals.verbose));
  return code;
}

/** A list that cannot be written is the world's no, not a bug. */
async function caught(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ListRefused) return refused(error.message, error.remedy);
    throw error;
  }
}

const lookOf = (host: Host, globals: Pick<Globals, 'color'>): Look => ({ width: host.width(), color: globals.color && wantsColor(host), now: host.now() });

/** Only on a terminal that has colours, and not where NO_COLOR is set to anything. */
const wantsColor = ({ isTTY, env }: Pick<Host, 'isTTY' | 'env'>): boolean => isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';

/** What can be said of the options before they are parsed, for help and for complaints about them. */
function roughGlobals(argv: readonly string[]): Globals {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  return globalsOf({
    json: words.includes('--json'),
    quiet: words.includes('--quiet'),
    verbose: words.includes('--verbose'),
    color: !words.includes('--no-color'),
  });
}
