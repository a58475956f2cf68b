import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { workspaceAt } from '../../src/adapters/workspaces.ts';
import { land, landingOrder, makeKit, never, orderOf, ready, script, textOf, type Kit, type Open } from './git-kit.ts';

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
  'commits on the section’s branch': (at) => {
    kit.git(['switch', '-q', 'todone/feature'], at);
    kit.git(['add', '-A'], at);
    kit.git(['commit', '-qm', 'straight on it'], at);
  },
  'forces the section’s branch to its commit': (at) => {
    kit.git(['add', '-A'], at);
    kit.git(['commit', '-q', '--amend', '-m', 'rewritten'], at);
    kit.git(['branch', '-f', 'todone/feature', 'HEAD'], at);
  },
  'moves the branch and goes back': (at) => {
    kit.git(['add', '-A'], at);
    kit.git(['commit', '-qm', 'x'], at);
    kit.git(['update-ref', 'refs/heads/todone/feature', 'HEAD'], at);
    kit.git(['reset', '-q', '--soft', 'HEAD^'], at);
  },
  'deletes the branch': (at) => void kit.git(['update-ref', '-d', 'refs/heads/todone/feature'], at),
  'makes the branch point to main': (at) => void kit.git(['symbolic-ref', 'refs/heads/todone/feature', 'refs/heads/main'], at),
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
      expect(kit.git(['rev-parse', 'main'])).toBe(prepared.start);
      expect(kit.git(['fsck', '--no-dangling'])).toBe('');
    });
  }
});

describe('what lands and what does not', () => {
  it('4-R6 takes in every kind of change to files', async () => {
    const { order, prepared, at } = await begin();
    const odd = Buffer.concat([Buffer.from(`${prepared.workspace}/latin-`), Buffer.from([0xe9])]);
    writeFileSync(odd, 'x\n');
    writeFileSync(at('new\nline "quoted".txt'), 'x\n');
    writeFileSync(at('-rf'), 'x\n');
    rmSync(at('README.md'));
    mkdirSync(at('README.md'));
    writeFileSync(at('README.md/inside'), 'x\n');
    rmSync(at('src'), { recursive: true });
    symlinkSync('README.md', at('src'));
    const { commit } = await land(open, landingOrder(order, prepared));
    expect(files(commit).toSorted()).toEqual(
      ['"latin-\\351"', '"new\\nline \\"quoted\\".txt"', '-rf', '.gitignore', 'README.md/inside', 'src', 'tasks.md', 'todone.config.json'].toSorted(),
    );
    expect(kit.git(['ls-tree', commit, 'src'])).toContain('120000');
  });

  it('4-R6 leaves out the list, protected paths and environment files, and says so', async () => {
    const { order, prepared, at } = await begin();
    rmSync(at('tasks.md'));
    mkdirSync(at('tasks.md'));
    writeFileSync(at('tasks.md/x'), 'x\n');
    writeFileSync(at('todone.config.json'), '{"verify":"true"}\n');
    mkdirSync(at('.husky'));
    writeFileSync(at('.husky/pre-commit'), 'evil\n');
    writeFileSync(at('prompts'), 'in the way\n');
    writeFileSync(at('.gitignore'), '\n');
    writeFileSync(at('.env.production'), 'A=1\n');
    writeFileSync(at('.env.example'), 'A=\n');
    const { commit, notes } = await land(open, landingOrder(order, prepared));
    expect(kit.git(['diff-tree', '-r', '--name-only', prepared.start, commit]).split('\n')).toEqual(['.env.example', '.gitignore']);
    expect(notes.join('\n')).toContain('tasks.md/x (the task list)');
    expect(notes.join('\n')).toContain('todone.config.json (protected)');
    expect(notes.join('\n')).toContain('.husky/pre-commit (protected)');
    await open.landing.checkout(prepared.workspace, commit);
    expect(textOf(at('todone.config.json'))).toBe('{}\n');
    expect(kit.git(['status', '--porcelain'], prepared.workspace)).toBe('');
  });

  it('4-R6 sees a change of the same size in the same moment', async () => {
    for (const text of ['ONE\ntwo\nthree\n', 'two\ntwo\nthree\n', 'one\nTWO\nthree\n']) {
      const { order, prepared, at } = await begin();
      writeFileSync(at('src/app.ts'), text);
      const { commit } = await land(open, landingOrder(order, prepared));
      expect(`${kit.git(['show', `${commit}:src/app.ts`])}\n`).toBe(text);
      await open.workspaces.release(order, prepared.workspace, never);
    }
  });

  it('4-R6 merges as the attributes say, and takes a pipe for no file', async () => {
    kit.write('.gitattributes', 'CHANGES merge=union\n');
    kit.write('CHANGES', 'first\n');
    kit.git(['add', '-A']);
    kit.git(['commit', '-qm', 'changes']);
    const one = await begin('union');
    const two = await begin('union', { slot: 2 });
    appendFileSync(one.at('CHANGES'), 'one\n');
    appendFileSync(two.at('CHANGES'), 'two\n');
    rmSync(two.at('README.md'));
    execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', two.at('README.md')]);
    await land(open, landingOrder(one.order, one.prepared));
    expect(await open.workspaces.snapshot(two.order, 'implement', two.prepared.workspace, two.prepared.start)).toBeDefined();
    const { commit } = await land(open, landingOrder(two.order, two.prepared));
    expect(
      kit
        .git(['show', `${commit}:CHANGES`])
        .split('\n')
        .toSorted(),
    ).toEqual(['first', 'one', 'two']);
    expect(files(commit)).not.toContain('README.md');
    await open.workspaces.release(two.order, two.prepared.workspace, never);
    expect(kit.git(['status', '--porcelain'], two.prepared.workspace)).toBe('');
  });

  it('4-R12 keeps what a sparse checkout leaves out', async () => {
    kit.git(['sparse-checkout', 'set', '--no-cone', '/*', '!/src']);
    const { order, prepared, at } = await begin();
    expect(textOf(at('src/app.ts'))).toBe('one\ntwo\nthree\n');
    writeFileSync(at('new.txt'), 'x\n');
    const { commit } = await land(open, landingOrder(order, prepared));
    expect(kit.git(['diff-tree', '-r', '--name-only', prepared.start, commit])).toBe('new.txt');
  });

  it('4-R6 finds only left-out changes empty', async () => {
    const { order, prepared, at } = await begin();
    writeFileSync(at('tasks.md'), 'gone\n');
    expect((await open.landing.squash(landingOrder(order, prepared))).kind).toBe('empty');
  });

  it('4-R6 lands an ignored file that the agent added by force, but no environment file', async () => {
    const { order, prepared, at } = await begin();
    mkdirSync(at('dist'));
    writeFileSync(at('dist/tool.js'), 'x\n');
    writeFileSync(at('dist/other.js'), 'x\n');
    writeFileSync(at('.env'), 'A=1\n');
    kit.git(['add', '-f', 'dist/tool.js', '.env'], prepared.workspace);
    kit.git(['commit', '-qm', 'with a build'], prepared.workspace);
    const { commit } = await land(open, landingOrder(order, prepared));
    expect(kit.git(['diff-tree', '-r', '--name-only', prepared.start, commit])).toBe('dist/tool.js');
  });

  const refused: Readonly<Record<string, { make: (at: (path: string) => string) => void; words: RegExp; message?: string }>> = {
    'a nested repository': { make: (at) => void kit.git(['init', '-q', at('inner')]), words: /inner is a repository of its own/ },
    'a nested repository with a commit': {
      make: (at) => {
        kit.git(['init', '-q', at('inner')]);
        kit.git(['commit', '-q', '--allow-empty', '-m', 'x'], at('inner'));
        kit.git(['add', 'inner'], at('.'));
      },
      words: /inner is a repository of its own/,
    },
    'a link out of the tree': { make: (at) => symlinkSync('../../etc', at('src/out')), words: /src\/out is a link that leads out/ },
    'an absolute link': { make: (at) => symlinkSync('/etc/passwd', at('abs')), words: /abs is a link that leads out/ },
    'a link that leads out by another link': {
      make: (at) => {
        mkdirSync(at('a/b'), { recursive: true });
        symlinkSync('../..', at('a/b/up'));
        symlinkSync('up/../x', at('a/b/sly'));
        writeFileSync(join(at('.'), '..', 'x'), 'outside\n');
      },
      words: /a\/b\/sly is a link that leads out/,
    },
    'a link into .git': { make: (at) => symlinkSync('.git', at('dotgit')), words: /link into \.git/ },
    'conflict markers': {
      make: (at) => writeFileSync(at('src/app.ts'), 'one\n<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n'),
      words: /src\/app\.ts has conflict markers/,
    },
    'a secret in the message': { make: (at) => writeFileSync(at('x'), 'x\n'), message: 'Use AKIA', words: /the commit message seems to hold a secret/ },
    'a file that is too large': { make: (at) => writeFileSync(at('big.bin'), Buffer.alloc(1_000_001)), words: /big\.bin is too large: 1000001 bytes/ },
    'a secret': { make: (at) => writeFileSync(at('key.ts'), 'const key = "AKIA"\n'), words: /key\.ts seems to hold a secret: an access key/ },
  };
  for (const [name, { make, words, message }] of Object.entries(refused)) {
    it(`4-R6 refuses ${name}`, async () => {
      const { order, prepared, at } = await begin();
      make(at);
      const squashed = await open.landing.squash(landingOrder(order, prepared, message === undefined ? {} : { message }));
      expect(squashed.kind).toBe('refused');
      expect((squashed as { message: string }).message).toMatch(words);
      expect(kit.git(['rev-parse', 'todone/feature'])).toBe(prepared.start);
    });
  }

  it('4-R6 lets stay what the base has already: a secret, markers', async () => {
    kit.write('old.ts', 'AKIA\n<<<<<<< a\n=======\n>>>>>>> b\nend\n');
    kit.git(['add', '-A']);
    kit.git(['commit', '-qm', 'old']);
    const { order, prepared, at } = await begin();
    appendFileSync(at('old.ts'), 'more\n');
    symlinkSync('src/app.ts', at('fine'));
    const { commit } = await land(open, landingOrder(order, prepared));
    expect(kit.git(['show', `${commit}:old.ts`])).toContain('more');
  });

  it('4-R6 says when the workspace is gone or a link to another place', async () => {
    const { order, prepared } = await begin();
    rmSync(prepared.workspace, { recursive: true });
    expect(await open.landing.squash(landingOrder(order, prepared))).toMatchObject({ kind: 'refused', lost: true });
    symlinkSync(kit.top, prepared.workspace);
    expect(await open.landing.squash(landingOrder(order, prepared))).toMatchObject({ kind: 'refused', lost: true });
  });
});

describe('the branch', () => {
  it('4-R6 moves a clean worktree that has the branch checked out, and the first workspace', async () => {
    await (async () => {
      const { order, prepared } = await begin();
      await open.workspaces.release(order, prepared.workspace, never);
    })();
    const { order, prepared, at } = await begin('feature', { slot: 2 });
    writeFileSync(at('new.txt'), 'new\n');
    await land(open, landingOrder(order, prepared));
    const first = join(kit.top, 'trees/feature');
    expect(textOf(join(first, 'new.txt'))).toBe('new\n');
    expect(kit.git(['status', '--porcelain'], first)).toBe('');
    expect(kit.git(['rev-parse', '--abbrev-ref', 'HEAD'], first)).toBe('todone/feature');
  });

  it('4-R6 moves the main worktree along, with the list changed in it', async () => {
    const { order, prepared, at } = await begin();
    kit.git(['switch', '-q', 'todone/feature']);
    kit.write('tasks.md', '## Git Worktree feature\n[🟡 x] A\n');
    writeFileSync(at('new.txt'), 'new\n');
    const { commit } = await land(open, landingOrder(order, prepared));
    expect(kit.git(['rev-parse', 'HEAD'])).toBe(commit);
    expect(textOf(join(kit.top, 'new.txt'))).toBe('new\n');
    expect(textOf(join(kit.top, 'tasks.md'))).toContain('🟡');
  });

  it('4-R6 waits while a worktree with the branch has uncommitted work', async () => {
    const { order, prepared, at } = await begin();
    kit.git(['switch', '-q', 'todone/feature']);
    kit.write('src/app.ts', 'mine\n');
    writeFileSync(at('new.txt'), 'new\n');
    const landing = landingOrder(order, prepared);
    const squashed = await open.landing.squash(landing);
    if (squashed.kind !== 'commit') throw new Error(squashed.kind);
    const busy = await open.landing.advance(landing, squashed.tip, squashed.commit);
    expect(busy).toMatchObject({ kind: 'busy', message: expect.stringMatching(/^branch in use at .*my repo é: uncommitted work: src\/app\.ts/) });
    expect(kit.git(['rev-parse', 'todone/feature'])).toBe(prepared.start);
    kit.git(['checkout', '-q', 'src/app.ts']);
    kit.write('new.txt', 'a person’s, not known to git\n');
    expect(await open.landing.advance(landing, squashed.tip, squashed.commit)).toMatchObject({ kind: 'busy', message: expect.stringContaining('new.txt') });
    rmSync(join(kit.top, 'new.txt'));
    expect((await open.landing.advance(landing, squashed.tip, squashed.commit)).kind).toBe('landed');
  });

  it.each<[string, (index: string) => void]>([
    ['cut off', (index) => truncateSync(index, Math.floor(statSync(index).size / 2))],
    ['gone', (index) => rmSync(index)],
  ])('4-R6 12-R1 a worktree with the branch whose index is %s moves along', async (_what, spoil) => {
    const { order, prepared, at } = await begin();
    kit.git(['switch', '-q', 'todone/feature']);
    spoil(join(kit.top, '.git', 'index'));
    writeFileSync(at('new.txt'), 'new\n');
    const { commit } = await land(open, landingOrder(order, prepared));
    expect([kit.git(['rev-parse', 'HEAD']), kit.git(['status', '--porcelain'])]).toEqual([commit, '']);
  });

  it('12-R1 finishes a landing that was killed between the branch and what follows it', async () => {
    const { order, prepared, at } = await begin();
    kit.git(['switch', '-q', 'todone/feature']);
    writeFileSync(at('new.txt'), 'new\n');
    const landing = landingOrder(order, prepared);
    const squashed = await open.landing.squash(landing);
    if (squashed.kind !== 'commit') throw new Error(squashed.kind);
    kit.git(['update-ref', 'refs/heads/todone/feature', squashed.commit]);
    const again = await kit.open();
    expect(await again.landing.squash(landing)).toMatchObject({ kind: 'landed', commit: squashed.commit });
    expect(kit.git(['rev-parse', `refs/todone/landed/${order.id}`])).toBe(squashed.commit);
    expect(await again.landing.advance(landing, squashed.tip, squashed.commit)).toMatchObject({ kind: 'landed' });
    expect(kit.git(['status', '--porcelain'])).toBe('');
    expect(textOf(join(kit.top, 'new.txt'))).toBe('new\n');
  });

  it('12-R1 4-R6 has a worktree follow its branch where a landing was cut off and the journal is lost; never over work in it', async () => {
    const first = await begin();
    const second = await begin('feature', { slot: 2 });
    await open.workspaces.release(first.order, first.prepared.workspace, never);
    writeFileSync(second.at('new.txt'), 'new\n');
    const squashed = await open.landing.squash(landingOrder(second.order, second.prepared));
    if (squashed.kind !== 'commit') throw new Error(squashed.kind);
    kit.git(['update-ref', 'refs/heads/todone/feature', squashed.commit]);
    expect(kit.git(['status', '--porcelain'], first.prepared.workspace)).toBe('D  new.txt');
    appendFileSync(first.at('README.md'), 'mine\n');
    const again = await kit.open();
    await again.landing.follow(['feature', 'none']);
    expect(existsSync(first.at('new.txt'))).toBe(false);
    kit.git(['checkout', '-q', '--', 'README.md'], first.prepared.workspace);
    await again.landing.follow(['feature', 'none']);
    expect(kit.git(['status', '--porcelain'], first.prepared.workspace)).toBe('');
    expect(textOf(first.at('new.txt'))).toBe('new\n');
  });

  it('12-R1 gets over locks that a killed git left on the branch and on our own refs', async () => {
    const { order, prepared, at } = await begin();
    writeFileSync(at('new.txt'), 'new\n');
    const locks = ['refs/heads/todone/feature.lock', `refs/todone/landed/${order.id}.lock`].map((name) => join(kit.top, '.git', name));
    for (const lock of locks) {
      mkdirSync(dirname(lock), { recursive: true });
      writeFileSync(lock, '');
      utimesSync(lock, 1, 1);
    }
    await land(open, landingOrder(order, prepared));
    expect(locks.filter((lock) => existsSync(lock))).toEqual([]);
  });

  it('12-R1 gets over a lock that a killed git left on the index that a commit is built in', async () => {
    const { order, prepared, at } = await begin();
    writeFileSync(at('new.txt'), 'new\n');
    const lock = join(workspaceAt(open.git.home, prepared.workspace).dir, 'index.built.lock');
    writeFileSync(lock, '');
    await land(open, landingOrder(order, prepared));
    expect(existsSync(lock)).toBe(false);
  });

  it('12-R1 lands although its own folder was deleted while it was at work', async () => {
    const { order, prepared, at } = await begin();
    writeFileSync(at('new.txt'), 'new\n');
    rmSync(open.git.home, { recursive: true });
    await land(open, landingOrder(order, prepared));
    expect(kit.git(['show', 'todone/feature:new.txt'])).toBe('new');
  });

  it('4-R6 keeps a person’s commit on the branch, and lands on it', async () => {
    const { order, prepared, at } = await begin();
    kit.git(['switch', '-q', 'todone/feature']);
    kit.write('person.txt', 'x\n');
    kit.git(['add', 'person.txt']);
    kit.git(['commit', '-qm', 'By hand']);
    const hand = kit.git(['rev-parse', 'HEAD']);
    writeFileSync(at('new.txt'), 'new\n');
    const { commit } = await land(open, landingOrder(order, prepared));
    expect(kit.git(['rev-parse', `${commit}^`])).toBe(hand);
    expect(kit.git(['status', '--porcelain'])).toBe('');
  });
});

describe('the commit', () => {
  it('4-R8 is the engineer’s, with trailers, and without forged ones', async () => {
    const { order, prepared, at } = await begin();
    writeFileSync(at('new.txt'), 'new\n');
    const message = `${'Add a very long summary line '.repeat(4)}\n\nBody.\n\nToDone-Task: other\nCo-Authored-By: X <x@y>\n`;
    const { commit, hash } = await land(open, landingOrder(order, prepared, { message, agent: 'claude', model: 'opus', attempt: 2 }));
    expect(kit.git(['log', '-1', '--format=%an <%ae> %cn', commit])).toBe('Ada <ada@example.org> Ada');
    expect(kit.git(['log', '-1', '--format=%(trailers:only,unfold)', commit]).split('\n')).toEqual([
      'Co-Authored-By: X <x@y>',
      `ToDone-Task: ${order.id}`,
      'ToDone-Agent: claude/opus',
      'ToDone-Attempt: 2',
    ]);
    expect(Array.from(kit.git(['log', '-1', '--format=%s', commit])).length).toBeLessThanOrEqual(72);
    expect(hash).toBe(kit.git(['rev-parse', '--short=7', commit]));
  });

  it('4-R8 falls back to ToDone where git has no identity', async () => {
    writeFileSync(join(kit.home, '.gitconfig'), '');
    const bare = await kit.open();
    expect(bare.repo.identity).toEqual({ name: 'ToDone', email: 'todone@localhost', fallback: true });
    const order = orderOf('feature');
    const prepared = ready(await bare.workspaces.prepare(order, undefined, never));
    writeFileSync(join(prepared.workspace, 'x'), 'x\n');
    const { commit } = await land(bare, landingOrder(order, prepared));
    expect(kit.git(['log', '-1', '--format=%an <%ae>', commit])).toBe('ToDone <todone@localhost>');
  });

  it('4-R8 signs where the global config signs, and waits where the key is not at hand', async () => {
    const signer = join(kit.home, 'signer.sh');
    kit.git(['config', '--global', 'commit.gpgSign', 'true']);
    kit.git(['config', '--global', 'gpg.program', signer]);
    script(signer, '#!/bin/sh\necho "no secret key" >&2\nexit 2\n');
    const signing = await kit.open();
    const order = orderOf('feature');
    const prepared = ready(await signing.workspaces.prepare(order, undefined, never));
    writeFileSync(join(prepared.workspace, 'x'), 'x\n');
    const landing = landingOrder(order, prepared);
    expect(await signing.landing.squash(landing)).toMatchObject({ kind: 'busy', message: expect.stringContaining('cannot be signed') });
    script(
      signer,
      '#!/bin/sh\ncat >/dev/null\nprintf "\\n[GNUPG:] SIG_CREATED x\\n" >&2\nprintf -- "-----BEGIN PGP SIGNATURE-----\\nx\\n-----END PGP SIGNATURE-----\\n"\n',
    );
    const { commit } = await land(signing, landing);
    expect(kit.git(['cat-file', 'commit', commit])).toContain('gpgsig -----BEGIN');
    const unsigned = await kit.open({ config: { sign: 'never' } });
    const second = orderOf('feature');
    const next = ready(await unsigned.workspaces.prepare(second, undefined, never));
    writeFileSync(join(next.workspace, 'y'), 'y\n');
    expect(kit.git(['cat-file', 'commit', (await land(unsigned, landingOrder(second, next))).commit])).not.toContain('gpgsig');
  });
});

describe('proof', () => {
  it('4-R9 proves by hash, by trailer on branch or base, by the landed ref', async () => {
    const { order, prepared, at } = await begin();
    writeFileSync(at('new.txt'), 'new\n');
    const { commit, hash } = await land(open, landingOrder(order, prepared));
    const proof = (id: string, by?: string) => open.landing.proof('feature', id, by);
    expect(await proof(order.id)).toEqual({ commit, hash });
    expect(await proof('unknown1', hash)).toEqual({ commit, hash });
    expect(await proof('unknown1')).toBeUndefined();
    expect(await proof('unknown1', 'ffffffff')).toBeUndefined();

    kit.git(['update-ref', '-d', `refs/todone/landed/${order.id}`]);
    expect(await proof(order.id)).toEqual({ commit, hash });
    await open.workspaces.release(order, prepared.workspace, never);
    kit.git(['merge', '-q', '--no-ff', '-m', 'merged', 'todone/feature']);
    kit.git(['worktree', 'remove', prepared.workspace]);
    kit.git(['branch', '-D', 'todone/feature']);
    expect(await proof(order.id)).toEqual({ commit, hash });
  });

  it('4-R9 keeps a squashed section done', async () => {
    const { order, prepared, at } = await begin();
    writeFileSync(at('new.txt'), 'new\n');
    const { commit, hash } = await land(open, landingOrder(order, prepared));
    await open.workspaces.release(order, prepared.workspace, never);
    kit.git(['merge', '-q', '--squash', 'todone/feature']);
    kit.git(['commit', '-qm', 'squashed']);
    kit.git(['worktree', 'remove', prepared.workspace]);
    kit.git(['branch', '-D', 'todone/feature']);
    expect(await open.landing.proof('feature', order.id, hash)).toEqual({ commit, hash });
  });
});

it('4-R1 works in a repository with SHA-256 objects', async () => {
  kit.close();
  kit = makeKit({});
  kit.git(['init', '-q', '--object-format=sha256', 'other']);
  kit.write('a.txt', 'a\n', join(kit.top, 'other'));
  rmSync(join(kit.top, '.git'), { recursive: true });
  kit.git(['init', '-q', '--object-format=sha256']);
  rmSync(join(kit.top, 'other'), { recursive: true });
  kit.write('a.txt', 'a\n');
  kit.git(['add', '-A']);
  kit.git(['commit', '-qm', 'first']);
  open = await kit.open();
  const { order, prepared, at } = await begin();
  writeFileSync(at('b.txt'), 'b\n');
  chmodSync(at('a.txt'), 0o755);
  const { commit } = await land(open, landingOrder(order, prepared));
  expect(commit).toHaveLength(64);
  expect(statSync(at('a.txt')).mode & 0o111).not.toBe(0);
  expect(files(commit)).toEqual(['a.txt', 'b.txt']);
});
