/**
 * `todone rules`: what an agent that ToDone did not start has to keep to, with its next tasks, and where it is put for which agent.
 */
import { z } from 'zod';
import { rulesText, RULES_INSIDE_RUN, RULES_REMINDER } from '../../runs/rules.ts';
import type { RequestOutput } from '../../runs/requests.ts';
import type { App } from './app.ts';
import { command, type CommandRow, type Context, type Result, show, withApp } from './command.ts';
import { EXIT, isFailure, usage } from './failure.ts';
import { documentOf } from './json.ts';
import { RULES_AGENTS, type RulesDone } from './upkeep.ts';
import { nameOf } from './status.ts';
import { oneLine } from './layout.ts';

const READY_MAX = 5;
const rulesInput = z.object({
  action: z.enum(['install', 'uninstall']).optional(),
  agent: z.enum(RULES_AGENTS).optional(),
  reminder: z.boolean().default(false),
  session: z.enum(['start', 'prompt']).optional(),
});

export const RULES_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'rules',
    group: 'Upkeep',
    summary: 'rules for agents that you start, with their next tasks',
    details:
      'install puts them where that agent reads them at the start of a session: hooks in .claude/settings.json for claude, a block in AGENTS.md for codex, ' +
      'opencode and others, a block in GEMINI.md for gemini. What is there stays; uninstall takes exactly that out again.',
    arguments: [
      { name: 'action', says: 'put them in, or take them out; without it they are printed', optional: true, choices: ['install', 'uninstall'] },
      { name: 'agent', says: 'for which agent', optional: true, choices: RULES_AGENTS },
    ],
    options: [
      { flags: '--reminder', says: 'one line only, for a hook that runs at each prompt' },
      { flags: '--session <what>', says: 'for a hook: it begins, or is given a prompt; its JSON on stdin', choices: ['start', 'prompt'] },
    ],
    examples: [
      { line: 'todone rules', says: 'the rules, and what you could take next' },
      { line: 'todone rules install claude', says: 'have Claude Code read them when it starts' },
      { line: 'todone rules uninstall codex', says: 'take them out of AGENTS.md' },
    ],
    json: 'rules',
    quiet: 'prints the ids of the next tasks, or the file that was changed',
    input: rulesInput,
    run: withApp(rules),
  }),
];

async function rules(app: App, { action, agent, reminder, session }: z.output<typeof rulesInput>, { host }: Context): Promise<Result> {
  // At a terminal nobody hands in anything.
  if (session !== undefined && !host.question && app.caller.kind !== 'run') app.upkeep.noteSession(session, (await host.read('-')) ?? '');
  if (action === undefined) return printed(app, reminder);
  if (agent === undefined) return usage(`${action} needs an agent`, `todone rules ${action} <${RULES_AGENTS.join('|')}>`);
  const changed = await app.upkeep.changeRules(action, agent);
  if (isFailure(changed)) return changed;
  return show({
    view: changed,
    text: (view) => `${said(view)}\n`,
    json: (view) => documentOf({ rules: null, tasks: [], places: app.upkeep.rulesPlaces(), changed: view }),
    quiet: (view) => (view.done === 'done' ? [view.file] : []),
  });
}

const said = ({ file, what, done, agent }: RulesDone): string =>
  what === 'install'
    ? `${file} ${done === 'done' ? 'has the rules now' : 'has the rules already'} for ${agent}. Commit it to have them everywhere.`
    : `${file} ${done === 'done' ? 'is without the rules again' : 'has no rules'} for ${agent}.`;

async function printed(app: App, reminder: boolean): Promise<Result> {
  const inside = app.caller.kind === 'run';
  const called = reminder || inside ? undefined : await app.unnoted.call('task.ready', { limit: READY_MAX }, app.caller);
  const tasks = called?.ok ? called.output.tasks : [];
  return show({
    code: EXIT.fine,
    view: { rules: inside ? `${RULES_INSIDE_RUN}\n` : reminder ? `${RULES_REMINDER}\n` : rulesText(), tasks },
    text: (view) => `${view.rules}${called === undefined ? '' : nextTasks(app.instance, view.tasks)}`,
    json: (view) => documentOf({ ...view, places: app.upkeep.rulesPlaces(), changed: null }),
    quiet: (view) => view.tasks.map(nameOf),
  });
}

const nextTasks = (instance: string, tasks: RequestOutput<'task.list'>['tasks']): string =>
  tasks.length === 0
    ? `\nNo task is ready for ${instance} now.\n`
    : `\nReady for ${instance}:\n${tasks.map((task) => `- ${nameOf(task)} (${task.section}, p${task.priority}): ${oneLine(task.title)}\n`).join('')}`;
