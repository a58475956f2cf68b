/**
 * `init`, `doctor` and the shells' completion. What is looked after and checked is handed in.
 */
import { z } from 'zod';
import { command, type CommandRow, show } from './command.ts';
import { complete, completionScript, SHELLS } from './completion.ts';
import { EXIT, isFailure } from './failure.ts';
import { documentOf } from './json.ts';
import { isHealthy, renderDoctor, renderInit } from './render-doctor.ts';

export const SETUP_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'init',
    group: 'Set up',
    summary: 'make a list, and tell git to ignore what ToDone adds',
    details:
      'Changes nothing that is there: a list that git tracks stays tracked, a new one is excluded through .git/info/exclude. Formatters that the repository uses are told to leave the list alone.',
    arguments: [],
    options: [{ flags: '--github', says: 'write the workflow that audits what is published; one that you have changed stays' }],
    examples: [
      { line: 'todone init', says: 'set this repository up' },
      { line: 'todone init --github', says: 'have GitHub see that the daemon is alive' },
      { line: 'todone init -C ../app --tasks docs/tasks.md', says: 'another repository, and a list of another name' },
    ],
    json: 'init',
    quiet: 'prints the paths of what it made',
    input: z.object({ github: z.boolean().default(false) }),
    run: async ({ host, globals }, input) => {
      const done = await host.init(globals, input);
      if (isFailure(done)) return done;
      return show({
        view: done,
        text: renderInit,
        json: documentOf,
        quiet: ({ steps }) => steps.flatMap((step) => (step.done === 'done' && step.path !== undefined ? [step.path] : [])),
      });
    },
  }),
  command({
    name: 'doctor',
    group: 'Set up',
    summary: 'check git, agents, config, list; say what to do',
    details: 'Prints the config in force and where each value comes from. Exit code 1 where something keeps ToDone from working.',
    arguments: [],
    options: [{ flags: '--fix', says: 'put right what can be put right without a decision of yours' }],
    examples: [
      { line: 'todone doctor', says: 'look' },
      { line: 'todone doctor --fix', says: 'look, and put right' },
    ],
    json: 'doctor',
    quiet: 'prints the names of the checks that failed',
    input: z.object({ fix: z.boolean().default(false) }),
    run: async ({ host, globals }, input) => {
      const facts = await host.doctor(globals, input);
      if (isFailure(facts)) return facts;
      return show({
        code: isHealthy(facts) ? EXIT.fine : EXIT.failed,
        view: facts,
        text: renderDoctor,
        json: (view) => documentOf({ ok: isHealthy(view), ...view }),
        quiet: ({ checks }) => checks.flatMap((check) => (check.ok === false ? [check.name] : [])),
      });
    },
  }),
  command({
    name: 'completion',
    group: 'Set up',
    summary: 'let your shell complete commands and tasks',
    arguments: [{ name: 'shell', says: 'your shell', choices: SHELLS }],
    options: [],
    examples: [
      { line: 'source <(todone completion bash)', says: 'in ~/.bashrc; for zsh the same in ~/.zshrc' },
      { line: 'todone completion fish > ~/.config/fish/completions/todone.fish', says: 'for fish' },
    ],
    json: undefined,
    quiet: undefined,
    input: z.object({ shell: z.enum(SHELLS) }),
    run: async ({ host }, { shell }) => {
      host.out(completionScript(shell));
      return EXIT.fine;
    },
  }),
  command({
    name: 'complete',
    group: 'Set up',
    summary: 'what may follow the words typed so far, for scripts',
    hidden: true,
    arguments: [{ name: 'words', says: 'after --: the words typed so far, the last one unfinished', optional: true, many: true }],
    options: [],
    examples: [
      { line: 'todone complete -- task l', says: 'list' },
      { line: 'todone complete -- why ""', says: 'every task' },
    ],
    json: undefined,
    quiet: undefined,
    input: z.object({ words: z.array(z.string()).default([]) }),
    run: async (context, { words }) => {
      for (const { value, says } of await complete(context, words)) context.host.out(`${value}${says === '' ? '' : `\t${says}`}\n`);
      return EXIT.fine;
    },
  }),
];
