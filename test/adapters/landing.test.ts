import { appendFileSync, chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { land, landingOrder, makeKit, never, orderOf, ready, textOf, type Kit, type Open } from './git-kit.ts';

let kit: Kit;
let open: Open;
beforeEach(async () => {
  kit = makeKit({
    'README.md': '# Demo\n',
    'src/app.ts': 'one\ntwo\nthree\n',
    'tasks.md': '## Git Worktree feature\n[] A\n',
    'todone.config.json': '{}\n',
    '.gitignore': '.env*\nnode_modules/\ndist/\n',
  });
  open = await kit.open();
});
afterEach(() => kit.close());

const begin = async (section = 'feature', more = {}) => {
  const order = orderOf(section, more);
  const prepared = ready(await open.workspaces.prepare(order, undefined, never));
  return { order, prepared, at: (path: string) => join(prepared.workspace, path) };
};
const files = (commit: string): string[] => kit.git(['ls-tree', '-r', '--name-only', commit]).split('\n');

/** What agents do to their git state; each one leaves `src/new.ts` as its work. */
const misbehaviours: Readonly<Record<string, (workspace: string) => void>> = {
  'commits nothing': () => undefined,
  'stages and commits nothing': (at) => void kit.git(['add', '-A'], at),
  'makes one commit': (at) => void kit.git(['commit', '-qam', 'mine', '--allow-empty'], at),
  'makes three commits': (at) => {
    for (const n of [1, 2, 3]) {
      appendFileSync(join(at, 'src/app.ts'), `more ${n}\n`);
      kit.git(['add', '-A'], at);
      kit.git(['commit', '-qm', `commit ${n}`], at);
    }
  },
  'goes to another branch': (at) => {
    kit.git(['switch', '-qc', 'elsewhere'], at);
    kit.git(['add', '-A'], at);
    kit.git(['commit', '-qm', 'elsewhere'], at);
  },
  'makes an orphan root': (at) => {
    kit.git(['checkout', '-q', '--orphan', 'rootless'], at);
    kit.git(['add', '-A'], at);
    kit.git(['commit', '-qm', 'root'], at);
  },
  'amends the base': (at) => {
    kit.git(['add', '-A'], at);
    kit.git(['commit', '-q', '--amend', '-m', 'rewritten'], at);
  },
  'leaves an index.lock': (at) => writeFileSync(join(kit.git(['rev-parse', '--absolute-git-dir'], at), 'index.lock'), ''),
  'deletes the .git file': (at) => rmSync(join(at, '.git')),
  'removes HEAD': (at) => rmSync(join(kit.git(['rev-parse', '--absolute-git-dir'], at), 'HEAD')),
  'tears the index': (at) => writeFileSync(join(kit.git(['rev-parse', '--absolute-git-dir'], at), 'index'), 'DIRCgarbage'),
  'removes the worktree entry': (at) => rmSync(kit.git(['rev-parse', '--absolute-git-dir'], at), { recursive: true }),
  'hides files by index bits': (at) => void kit.git(['update-index', '--assume-unchanged', 'src/app.ts'], at),
  'changes the list and adds .env by force': (at) => {
    writeFileSync(join(at, 'tasks.md'), '## Git Worktree feature\n[x] A\n');
    writeFileSync(join(at, '.env'), 'SECRET=1\n');
    kit.git(['add', '-A'], at);
    kit.git(['add', '-f', '.env'], at);
    kit.git(['commit', '-qm', 'bad'], at);
  },
  'stops ignoring .env': (at) => {
    writeFileSync(join(at, '.gitignore'), 'node_modules/\ndist/\n');
    writeFileSync(join(at, '.env.local'), 'SECRET=1\n');
  },
  'makes .git a repository of its own': (at) => {
    rmSync(join(at, '.git'));
    kit.git(['init', '-q'], at);
    kit.git(['add', '-A'], at);
    kit.git(['commit', '-qm', 'own'], at);
  },
};

describe('one commit from whatever an agent left', () => {
  for (const [name, misbehave] of Object.entries(misbehaviours)) {
    it(`4-R6 lands exactly one commit when the agent ${name}`, async () => {
      const { order, prepared, at } = await begin();
      writeFileSync(at('src/new.ts'), 'new\n');
      misbehave(prepared.workspace);
      const { commit } = await land(open, landingOrder(order, prepared));

      expect(kit.git(['rev-parse', 'todone/feature'])).toBe(commit);
      expect(kit.git(['rev-parse', `${commit}^`])).toBe(prepared.start);
      expect(kit.git(['rev-list', '--count', `${prepared.start}..todone/feature`])).toBe('1');
      expect(files(commit)).toContain('src/new.ts');
      expect(files(commit).filter((path) => path.startsWith('.env'))).toEqual([]);
      expect(kit.git(['show', `${commit}:tasks.md`])).toContain('[] A');
      await open.workspaces.release(order, prepared.workspace, never);
      expect(kit.git(['status', '--porcelain'], prepared.workspace)).toBe('');
      expect(kit.git(['rev-parse', '--abbrev-ref', 'HEAD'], prepared.workspace)).toBe('todone/feature');
      expect(kit.git(['fsck', '--no-dangling'])).toBe('');
    });
  }
});
