/**
 * Faults to plant in a copy of the source, each a mistake that a person could make, and the campaign that has to see it. `from` has
 * to be there exactly once, so that this list cannot rot.
 */
export type Planted = { readonly name: string; readonly file: string; readonly from: string; readonly to: string; readonly seenBy: readonly string[] };

const list = ['--only', 'kill', '--case', '^one list write, saved in place$'];

export const PLANTED: readonly Planted[] = [
  {
    name: 'what an exchange displaced is not looked at',
    file: 'src/adapters/list-settle.ts',
    from: 'if (look.changed && look.quiet) return merge(mine, look);',
    to: '',
    seenBy: list,
  },
  {
    name: 'a start leaves what a crash left beside the list',
    file: 'src/adapters/task-file.ts',
    from: '        await sweep(parts);\n',
    to: '',
    seenBy: [...list, '--share', '8'],
  },
  {
    name: 'a turn is stored row by row',
    file: 'src/adapters/sqlite.ts',
    from: "      transaction(db, () => {\n        const theirs = Number(sql.term.get()?.['value'] ?? 0);",
    to: "      (<T,>(_: DatabaseSync, body: () => T) => body())(db, () => {\n        const theirs = Number(sql.term.get()?.['value'] ?? 0);",
    seenBy: ['--only', 'kill', '--case', '^one journal step$', '--share', '3'],
  },
  {
    name: 'agents outlive their daemon',
    file: 'src/adapters/watchdog.ts',
    from: '  needed++;\n  start();\n',
    to: '  needed++;\n',
    seenBy: ['--only', 'random', '--case', '^SIGKILL of the daemon$'],
  },
  {
    name: 'worktrees are added side by side',
    file: 'src/adapters/worktree-add.ts',
    from: '  return lock.hold(async () => {\n    for (let left = TRIES;',
    to: '  return (async (work: () => Promise<Ensured>) => work())(async () => {\n    for (let left = 1;',
    seenBy: ['--only', 'owner', '--case', 'first claims', '--share', '0.3'],
  },
  {
    name: 'a list lock that another process has is taken all the same',
    file: 'src/adapters/list-lock.ts',
    from: '      if (isBusy(error)) return undefined;\n',
    to: '      if (isBusy(error)) return openWriteDb(`${file}.${process.pid}`);\n',
    seenBy: ['--only', 'owner', '--case', 'contenders', '--share', '0.3'],
  },
];
