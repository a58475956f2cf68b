/**
 * `todone audit`: what is stale or untrue, said, and kept as one issue where that is asked for. What is found is the core's.
 */
import { z } from 'zod';
import { command, type CommandRow, show, withApp } from './command.ts';
import { EXIT, isFailure } from './failure.ts';
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
    arguments: [],
    options: [{ flags: '--issue', says: 'keep one GitHub issue of it through gh; it is closed when nothing is found' }],
    examples: [
      { line: 'todone audit', says: 'look' },
      { line: 'todone audit --issue', says: 'have the one issue of this repository say the same' },
    ],
    json: 'audited',
    quiet: 'prints the ids of what was found',
    input: z.object({ issue: z.boolean().default(false) }),
    run: withApp(async (app, { issue }, { host }) => {
      const found = await app.upkeep.audit(issue, host.signal);
      if (isFailure(found)) return found;
      const ok = found.findings.length === 0;
      return show({
        code: ok ? EXIT.fine : EXIT.failed,
        view: found,
        text: (view, look) => render(view, app.paths.listName, look),
        json: (view) => documentOf({ ok, ...view }),
        quiet: ({ findings }) => findings.map(({ id, line, title }) => id ?? (line === null ? title : `line ${line}`)),
      });
    }),
  }),
];

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
