/**
 * `todone audit`: what is stale or untrue, said, and kept as one issue where that is asked for. What is found is the core's.
 */
import { z } from 'zod';
import { command, type CommandRow, type Result, show, withApp } from './command.ts';
import { EXIT, isFailure, usage } from './failure.ts';
import { documentOf } from './json.ts';
import { type Look, paint, wrap } from './layout.ts';
import type { Audited } from './upkeep.ts';
import { count } from './words.ts';

export const AUDIT_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'audit',
    group: 'Upkeep',
    summary: 'find what is stale, undecided or untrue',
    details:
      'Finds tasks in progress that nobody was heard of, claims without a process or heartbeat, triage that waits, done that git does not prove, ' +
      'commits of agents without a task, claims that ended without a report. Thresholds are audit: in the config. Exit code 1 where something is found.',
    arguments: [{ name: 'remote', says: 'with --published: another one than that of the config', optional: true }],
    options: [
      { flags: '--issue', says: 'keep one GitHub issue of it through gh; it is closed when nothing is found' },
      { flags: '--published', says: 'of what a daemon with publish: true has pushed there, without its journal and list' },
    ],
    examples: [
      { line: 'todone audit', says: 'look' },
      { line: 'todone audit --published', says: 'on another machine: is the daemon alive, and all well there?' },
      { line: 'todone audit --issue', says: 'have the one issue of this repository say the same' },
    ],
    json: 'audited',
    quiet: 'prints the ids of what was found',
    input: z.object({ remote: z.string().optional(), issue: z.boolean().default(false), published: z.boolean().default(false) }),
    run: async (context, { remote, issue, published }) => {
      if (!published) return remote === undefined ? own(context, { issue }) : usage('a remote goes with --published', `todone audit --published ${remote}`);
      const found = await context.host.auditPublished(context.globals, remote, issue);
      return isFailure(found) ? found : shown(found, 'list');
    },
  }),
];

const own = withApp(async (app, { issue }: { readonly issue: boolean }, { host }) => {
  const found = await app.upkeep.audit(issue, host.signal);
  return isFailure(found) ? found : shown(found, app.paths.listName);
});

function shown(found: Audited, listName: string): Result {
  const ok = found.findings.length === 0;
  return show({
    code: ok ? EXIT.fine : EXIT.failed,
    view: found,
    text: (view, look) => render(view, listName, look),
    json: (view) => documentOf({ ok, ...view }),
    quiet: ({ findings }) => findings.map(({ id, line, title }) => id ?? (line === null ? title : `line ${line}`)),
  });
}

function render({ findings, issue }: Audited, listName: string, look: Look): string {
  const lines = findings.flatMap(({ code, line, id, section, title, message, remedy }) => [
    ...wrap(`${line === null ? section || 'git' : `${listName}:${line}`}${id === null ? '' : ` ${id}`}: ${title}`, look),
    ...wrap(`${message} (${code})`, look, '  '),
    ...wrap(`do: ${remedy}`, look, '  '),
  ]);
  const verdict =
    findings.length > 0 ? paint(look, 'bad', `${count(findings.length, 'thing')} to look at.`) : paint(look, 'good', 'Nothing is stale or untrue.');
  const said = issue === null || issue.done === 'none' ? [] : [`Issue ${issue.done}${issue.url === null ? '' : `: ${issue.url}`}`];
  return `${[...lines, verdict, ...said].join('\n')}\n`;
}
