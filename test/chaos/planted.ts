/**
 * Faults to plant in a copy of the source, each a mistake that a person could make, and the campaign that has to see it. `from` has
 * to be there exactly once, so that this list cannot rot.
 */
import type { LifeKind } from '../simulation/life.ts';
import { PLANTED as SIMULATED } from '../simulation/planted.ts';

export type Planted = {
  readonly name: string;
  readonly about: 'writing' | 'recovery' | 'ownership' | 'choice and recovery';
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Arguments of `test:chaos`, or which lives of the simulation. */
  readonly seenBy: readonly string[] | Simulated;
};
export type Simulated = { readonly first: number; readonly kind: LifeKind };

const list = ['--only', 'kill', '--case', '^one list write, saved in place$'];

const OURS: readonly Planted[] = [
  {
    name: 'what an exchange displaced is not looked at',
    about: 'writing',
    file: 'src/adapters/list-settle.ts',
    from: 'if (look.changed && look.quiet) return merge(mine, look);',
    to: '',
    seenBy: list,
  },
  {
    name: 'a start leaves what a crash left beside the list',
    about: 'recovery',
    file: 'src/adapters/task-file.ts',
    from: '        await sweep(parts);\n',
    to: '',
    seenBy: [...list, '--share', '8'],
  },
  {
    name: 'a turn is stored row by row',
    about: 'recovery',
    file: 'src/adapters/sqlite.ts',
    from: "      transaction(db, () => {\n        const theirs = Number(sql.term.get()?.['value'] ?? 0);",
    to: "      (<T,>(_: DatabaseSync, body: () => T) => body())(db, () => {\n        const theirs = Number(sql.term.get()?.['value'] ?? 0);",
    seenBy: ['--only', 'kill', '--case', '^one journal step$', '--share', '3'],
  },
  {
    name: 'agents outlive their daemon',
    about: 'recovery',
    file: 'src/adapters/watchdog.ts',
    from: '  needed++;\n  start();\n',
    to: '  needed++;\n',
    seenBy: ['--only', 'random', '--case', '^SIGKILL of the daemon$'],
  },
  {
    name: 'worktrees are added side by side',
    about: 'ownership',
    file: 'src/adapters/worktree-add.ts',
    from: '  return lock.hold(async () => {\n    for (let left = TRIES;',
    to: '  return (async (work: () => Promise<Ensured>) => work())(async () => {\n    for (let left = 1;',
    seenBy: ['--only', 'owner', '--case', 'first claims', '--share', '1'],
  },
  {
    name: 'a list lock that another process has is taken all the same',
    about: 'ownership',
    file: 'src/adapters/list-lock.ts',
    from: '      if (isBusy(error)) return undefined;\n',
    to: '      if (isBusy(error)) return openWriteDb(`${file}.${process.pid}`);\n',
    seenBy: ['--only', 'owner', '--case', 'contenders', '--share', '0.3'],
  },
  {
    name: 'a landing that has happened is not looked for',
    about: 'recovery',
    file: 'src/adapters/landing.ts',
    from: 'if (landed !== undefined) return alreadyLanded(use, order, landed, tip);',
    to: '',
    seenBy: ['--only', 'kill', '--case', '^one landing$'],
  },
  {
    name: 'the end of a phase is not read',
    about: 'recovery',
    file: 'src/adapters/agents/agents.ts',
    from: 'if (written) return written;',
    to: '',
    seenBy: ['--only', 'hand', '--case', '^an older journal put back'],
  },
  {
    name: 'git is not asked where the journal is lost',
    about: 'recovery',
    file: 'src/composition/evidence.ts',
    from: 'if (known.size > 0 && claimedOn(',
    to: 'if (known.size >= 0 || claimedOn(',
    seenBy: ['--only', 'random', '--case', 'has landed, the journal deleted$'],
  },
  {
    name: 'work of ours is not known again where the journal is lost',
    about: 'recovery',
    file: 'src/runs/recover.ts',
    from: "const ours = state === 'in_progress' && (evidence.kept.has(id) || evidence.tickets.has(id));",
    to: 'const ours = false;',
    seenBy: ['--only', 'hand', '--case', '^journal deleted, between'],
  },
  {
    name: 'a half-made entry of a worktree stays',
    about: 'recovery',
    file: 'src/adapters/worktree-add.ts',
    from: 'for (const entry of ownEntries(git, path, (await livingAdds(git)).length > 0)) rmSync(entry, { recursive: true, force: true });',
    to: '',
    seenBy: ['--only', 'kill', '--case', '^one worktree add, in git$', '--share', '3'],
  },
  {
    name: 'a broken journal is not put aside',
    about: 'recovery',
    file: 'src/adapters/journal-file.ts',
    from: 'if (!isBroken(error)) throw error;',
    to: 'throw error;',
    seenBy: ['--only', 'hand', '--case', '^journal replaced by nonsense'],
  },
  {
    name: 'locks of killed gits are not swept',
    about: 'recovery',
    file: 'src/adapters/abandoned-locks.ts',
    from: '    ...shared.map(async (lock) => ({ lock, gone: await removeIfAbandoned(lock, around, staleMs, patienceMs) })),\n',
    to: '',
    seenBy: ['--only', 'hand', '--case', '^stale packed-refs.lock, between'],
  },
  {
    name: 'an interrupted write is not finished at the next start',
    about: 'recovery',
    file: 'src/adapters/task-file.ts',
    from: '        await settle.settleAll(true);\n',
    to: '',
    seenBy: [...list, '--share', '8'],
  },
];

/** Those of the simulation, too: who decides and recovers is simulated, who writes is struck. */
export const PLANTED: readonly Planted[] = [
  ...OURS,
  ...SIMULATED.map(({ first = 1, kind = 'wide', ...fault }): Planted => ({ ...fault, about: 'choice and recovery', seenBy: { first, kind } })),
];
