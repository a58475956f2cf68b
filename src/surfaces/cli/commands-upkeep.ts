/**
 * Upkeep: list and git compared, old versions of the list, workspaces that are over. What is found and what may go is decided elsewhere.
 */
import { z } from 'zod';
import type { Finding } from '../../runs/reconcile.ts';
import type { App } from './app.ts';
import { command, type CommandRow, type Context, type Result, show, withApp, withoutList } from './command.ts';
import { EXIT, isFailure, usage } from './failure.ts';
import { documentOf } from './json.ts';
import { renderCleaned, renderReconciled, renderVersions } from './render-upkeep.ts';

const historyInput = z.object({ list: z.boolean().default(false), show: z.string().min(1).optional() });
const cleanInput = z.object({ section: z.string().optional(), dryRun: z.boolean().default(false) });

export const UPKEEP_COMMANDS: readonly CommandRow[] = [
  command({
    name: 'reconcile',
    group: 'Upkeep',
    summary: 'compare the list with git and the journal, both ways',
    details:
      'Finds lines marked done that git does not prove, commits whose line does not say done, tasks that landed twice, claims that nobody has. ' +
      'Exit code 1 where something is found. --fix writes the markers that git proves; it never takes a mark of done away, and never touches your text.',
    arguments: [],
    options: [{ flags: '--fix', says: 'write the markers that git proves' }],
    examples: [
      { line: 'todone reconcile', says: 'look' },
      { line: 'todone reconcile --fix', says: 'put markers right after the list was brought back from elsewhere' },
    ],
    json: 'reconciled',
    quiet: 'prints the ids of what was found',
    input: z.object({ fix: z.boolean().default(false) }),
    run: withApp(async (app, { fix }) => {
      const found = await app.upkeep.reconcile(fix);
      if (isFailure(found)) return found;
      const ok = found.findings.every((finding) => finding.severity === 'note');
      return show({
        code: ok ? EXIT.fine : EXIT.failed,
        view: found,
        text: (view, look) => renderReconciled(view, app.paths.listName, look),
        json: ({ findings, fixed }) => documentOf({ ok, findings: findings.map(jsonOf), fixed: fixed.map(jsonOf) }),
        quiet: ({ findings }) => findings.flatMap((finding) => (finding.severity === 'finding' ? [finding.id ?? `line ${finding.line}`] : [])),
      });
    }),
  }),
  command({
    name: 'history',
    group: 'Upkeep',
    summary: 'old versions of the list, and their text',
    details:
      'Every write of ToDone keeps the version that it displaced, with your saves that came in between; a running one also keeps what stood on a list that ' +
      'loses lines or is gone. To bring one back, put it in its place yourself: todone history --show <version> > back.md && mv back.md tasks.md. For the ' +
      'history of one task: todone task history.',
    arguments: [],
    options: [
      { flags: '--list', says: 'list the versions, the newest first (this is what it does without an option, too)' },
      { flags: '--show <version>', says: 'print one, byte for byte; the beginning of its name is enough' },
    ],
    examples: [
      { line: 'todone history --list', says: 'when, displaced by what, how large, and what the next one changed' },
      { line: 'todone history --show 20261121T1004 > back.md && mv back.md tasks.md', says: 'bring an old version back' },
    ],
    json: 'versions',
    quiet: 'prints the names of the versions',
    input: historyInput,
    run: withoutList(history),
  }),
  command({
    name: 'clean',
    group: 'Upkeep',
    summary: 'remove the worktrees of sections that are over',
    details:
      'Over is a section in which nothing is open, blocked or running. What is in a worktree goes to a snapshot first (todone restore); one with ' +
      'your own uncommitted work, or with something that no snapshot can hold, is kept. Branches stay.',
    arguments: [{ name: 'section', says: 'only this section; without it, every one that is over', optional: true, completes: 'section' }],
    options: [{ flags: '--dry-run', says: 'say what would be removed, and change nothing' }],
    examples: [
      { line: 'todone clean --dry-run', says: 'what could go' },
      { line: 'todone clean auth', says: 'remove the worktrees of one section' },
    ],
    json: 'cleaned',
    quiet: 'prints the folders that were removed',
    input: cleanInput,
    run: withApp(clean),
  }),
];

const jsonOf = ({ fix, ...rest }: Finding): object => ({ ...rest, fix: fix?.marker ?? null });

async function history(app: App, input: z.output<typeof historyInput>, { host, globals }: Context): Promise<Result> {
  if (input.show === undefined) {
    const versions = await app.upkeep.versions();
    return show({
      view: versions,
      text: renderVersions,
      json: (view) => documentOf({ versions: view }),
      quiet: (view) => view.map((version) => version.name),
    });
  }
  if (input.list) return usage('--list and --show are two things', 'give one of them');
  const version = await app.upkeep.version(input.show);
  if (isFailure(version)) return version;
  // To a file it goes as it is; a terminal would obey what is in it.
  if (!host.isTTY && !globals.json) {
    host.out(version.text);
    return EXIT.fine;
  }
  return show({ view: version, text: ({ text }) => text, json: ({ text }) => documentOf({ versions: [], text }), quiet: () => [] });
}

async function clean(app: App, input: z.output<typeof cleanInput>): Promise<Result> {
  const cleaned = await app.upkeep.clean(input.section, input.dryRun);
  if (isFailure(cleaned)) return cleaned;
  return show({
    view: cleaned,
    text: renderCleaned,
    json: (view) => documentOf({ worktrees: view }),
    quiet: (view) => view.flatMap(({ outcome, path }) => (outcome === 'kept' ? [] : [path])),
  });
}
