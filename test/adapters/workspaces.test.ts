import { appendFileSync, chmodSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bringBack } from '../../src/adapters/bring-back.ts';
import { openRepoLock } from '../../src/adapters/repo-lock.ts';
import { holdersIn } from '../../src/adapters/workspaces.ts';
import { land, landingOrder, makeKit, never, orderOf, ready, textOf, type Kit, type Open } from './git-kit.ts';

let kit: Kit;
let open: Open;
beforeEach(async () => {
  kit = makeKit({ 'README.md': '# Demo\n', 'src/app.ts': 'one\n', '.gitignore': '.env*\nnode_modules/\nlocal/\n' });
  open = await kit.open();
});
afterEach(() => kit.close());

const begin = async (section = 'feature', more = {}) => {
  const order = orderOf(section, more);
  const prepared = ready(await open.workspaces.prepare(order, undefined, never));
  return { order, prepared, at: (path: string) => join(prepared.workspace, path) };
};
const head = (cwd: string): string => kit.git(['rev-parse', '--abbrev-ref', 'HEAD'], cwd);
const trees = (): string => join(kit.top, 'trees');

describe('where a section works', () => {
  it('4-R1 makes trees/<name> from HEAD, detached while a run is in it, on its branch after', async () => {
    const { order, prepared } = await begin();
    expect(prepared.workspace).toBe(join(trees(), 'feature'));
    expect(prepared.start).toBe(kit.git(['rev-parse', 'main']));
    expect(kit.git(['rev-parse', 'todone/feature'])).toBe(prepared.start);
    expect(head(prepared.workspace)).toBe('HEAD');
    await open.workspaces.release(order, prepared.workspace, never);
    expect(head(prepared.workspace)).toBe('todone/feature');
    expect(kit.git(['status', '--porcelain'])).toBe('');
    expect(kit.git(['status', '--porcelain'], prepared.workspace)).toBe('');
  });

  it('2-R4 12-R1 says whose run took a workspace and did not give it back, where the journal is lost', async () => {
    const { order, prepared } = await begin();
    expect([...holdersIn(open.git.home)]).toEqual([[order.id, order.ticket]]);
    await open.workspaces.release(order, prepared.workspace, never);
    expect([...holdersIn(open.git.home)]).toEqual([]);
  });

  it('4-R3 2-R4 gives back a workspace whose run is no more, its work kept; never one of a run, nor what a person does there', async () => {
    const gone = await begin('feature', { slot: 2 });
    const living = await begin('feature', { slot: 3 });
    const given = await begin('feature', { slot: 4 });
    await open.workspaces.release(given.order, given.prepared.workspace, never);
    for (const { at } of [gone, living, given]) writeFileSync(at('work.txt'), 'of somebody\n');
    const isRun = (id: string): boolean => id === living.order.id;
    expect(await open.workspaces.releaseAbandoned(isRun)).toBe(1);
    expect([gone, living, given].map(({ at }) => existsSync(at('work.txt')))).toEqual([false, true, true]);
    expect(kit.git(['show', `refs/todone/${gone.order.id}/1/left:work.txt`])).toBe('of somebody');
    expect(await open.workspaces.releaseAbandoned(isRun)).toBe(0);
  });

  it.each<[string, (path: string, admin: string) => void]>([
    ['its entry', (_path, admin) => rmSync(admin, { recursive: true })],
    ['its .git file', (path) => rmSync(join(path, '.git'))],
    ['its index', (_path, admin) => rmSync(join(admin, 'index'))],
    ['half of its index', (_path, admin) => truncateSync(join(admin, 'index'), Math.floor(statSync(join(admin, 'index')).size / 2))],
    ['the folder', (path) => rmSync(path, { recursive: true })],
  ])('4-R11 12-R1 a worktree that nobody is in and that lacks %s is put right, a run is let be', async (what, take) => {
    const [rests, runs] = [await begin('rests'), await begin('runs')];
    await open.workspaces.release(rests.order, rests.prepared.workspace, never);
    for (const { prepared } of [rests, runs]) take(prepared.workspace, kit.git(['rev-parse', '--absolute-git-dir'], prepared.workspace));
    const isRun = (id: string): boolean => id === runs.order.id;
    expect([await open.workspaces.mend(isRun), await open.workspaces.mend(isRun)]).toEqual([1, 0]);
    const listed = kit.git(['worktree', 'list', '--porcelain']);
    if (what === 'the folder') return expect(listed).not.toContain(rests.prepared.workspace);
    expect(kit.git(['status', '--porcelain', '--branch'], rests.prepared.workspace)).toBe('## todone/rests');
  });

  it('4-R1 starts from the branch where it exists, from base where it is set, from the commit where HEAD is detached', async () => {
    kit.git(['switch', '-qc', 'other']);
    kit.git(['commit', '-q', '--allow-empty', '-m', 'other']);
    const other = kit.git(['rev-parse', 'HEAD']);
    kit.git(['branch', 'todone/known']);
    kit.git(['switch', '-q', 'main']);
    expect((await begin('known')).prepared.start).toBe(other);
    open = await kit.open({ config: { base: 'other' } });
    expect((await begin('based')).prepared.start).toBe(other);
    open = await kit.open();
    kit.git(['checkout', '-q', '--detach', 'other']);
    expect((await begin('detached')).prepared.start).toBe(other);
  });

  it('4-R2 refuses names that are not safe as a path or a ref', async () => {
    for (const name of ['../x', '-rf', '.git', 'a..b', 'a/', '/a', 'a b', 'a.lock', 'a~2', 'a/../b', 'é', '', 'a/.git', 'x'.repeat(300)]) {
      const prepared = await open.workspaces.prepare(orderOf(name), undefined, never);
      expect({ name, ...prepared }).toMatchObject({ name, kind: 'failed', transient: false });
    }
    expect(existsSync(trees())).toBe(false);
  });

  it('4-R2 says which branch is in the way of another', async () => {
    await begin('feat');
    expect(await open.workspaces.prepare(orderOf('feat/x'), undefined, never)).toMatchObject({
      kind: 'failed',
      transient: false,
      message: expect.stringContaining('todone/feat'),
    });
    await begin('a/b');
    expect((await begin('a/c')).prepared.workspace).toBe(join(trees(), 'a/c'));
  });

  it('4-R3 gives each run of a section its own workspace, eight at once', async () => {
    const prepared = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((slot) => begin(slot % 2 === 0 ? 'even' : 'odd', { slot: Math.ceil(slot / 2) })));
    const names = prepared.map(({ prepared: { workspace } }) => basename(workspace)).toSorted();
    expect(names).toEqual(['even', 'even~2', 'even~3', 'even~4', 'odd', 'odd~2', 'odd~3', 'odd~4']);
    expect(new Set(prepared.map(({ prepared: { port } }) => port)).size).toBe(8);
    for (const { prepared: at } of prepared) expect(kit.git(['status', '--porcelain'], at.workspace)).toBe('');
    expect(kit.git(['fsck', '--no-dangling'])).toBe('');
  });

  it('4-R3 does not touch a folder or a link that is in the way', async () => {
    kit.write('trees/mine/file.txt', 'x\n');
    expect(await open.workspaces.prepare(orderOf('mine'), undefined, never)).toMatchObject({ kind: 'busy', message: expect.stringContaining('trees/mine') });
    symlinkSync(kit.home, join(trees(), 'link'));
    expect((await open.workspaces.prepare(orderOf('link'), undefined, never)).kind).toBe('busy');
    expect(textOf(join(trees(), 'mine/file.txt'))).toBe('x\n');
  });
});

describe('a person in a workspace', () => {
  const persons: Readonly<Record<string, { make: (at: string) => void; words: RegExp }>> = {
    'a changed file': { make: (at) => appendFileSync(join(at, 'src/app.ts'), 'mine\n'), words: /uncommitted work: src\/app\.ts/ },
    'a new file': { make: (at) => writeFileSync(join(at, 'new.txt'), 'mine\n'), words: /uncommitted work: new\.txt/ },
    'a staged file': {
      make: (at) => {
        writeFileSync(join(at, 'new.txt'), 'mine\n');
        kit.git(['add', 'new.txt'], at);
      },
      words: /new\.txt/,
    },
    'a commit on no branch': {
      make: (at) => {
        kit.git(['checkout', '-q', '--detach'], at);
        kit.git(['commit', '-q', '--allow-empty', '-m', 'mine'], at);
      },
      words: /is on no branch/,
    },
    'a merge in progress': {
      make: (at) => {
        kit.git(['switch', '-qc', 'side'], at);
        kit.git(['commit', '-q', '--allow-empty', '-m', 'side'], at);
        kit.git(['switch', '-q', 'todone/feature'], at);
        kit.git(['merge', '-q', '--no-ff', '--no-commit', 'side'], at);
      },
      words: /MERGE_HEAD/,
    },
  };
  for (const [name, { make, words }] of Object.entries(persons)) {
    it(`4-R3 does not use a workspace with ${name}`, async () => {
      const { order, prepared } = await begin();
      await open.workspaces.release(order, prepared.workspace, never);
      make(prepared.workspace);
      const before = kit.git(['status', '--porcelain'], prepared.workspace);
      const busy = await open.workspaces.prepare(orderOf('feature'), undefined, never);
      expect(busy).toMatchObject({ kind: 'busy', message: expect.stringMatching(words) });
      expect(kit.git(['status', '--porcelain'], prepared.workspace)).toBe(before);
    });
  }

  it('4-R3 goes on from what a person committed there', async () => {
    const { order, prepared } = await begin();
    await open.workspaces.release(order, prepared.workspace, never);
    writeFileSync(join(prepared.workspace, 'new.txt'), 'mine\n');
    kit.git(['add', '-A'], prepared.workspace);
    kit.git(['commit', '-qm', 'By hand'], prepared.workspace);
    const next = await begin();
    expect(next.prepared.start).toBe(kit.git(['rev-parse', 'todone/feature']));
    expect(textOf(next.at('new.txt'))).toBe('mine\n');
  });

  it('4-R3 uses a worktree that a person made for the section', async () => {
    kit.git(['branch', 'todone/feature']);
    kit.git(['worktree', 'add', '-q', join(trees(), 'feature'), 'todone/feature']);
    writeFileSync(join(trees(), 'feature/x'), 'x\n');
    expect((await open.workspaces.prepare(orderOf('feature'), undefined, never)).kind).toBe('busy');
    rmSync(join(trees(), 'feature/x'));
    await begin();
  });
});

describe('what an earlier run left', () => {
  it('4-R5 is kept in a snapshot, then cleaned; ignored files survive', async () => {
    const { order, prepared, at } = await begin();
    writeFileSync(at('left.txt'), 'left\n');
    appendFileSync(at('src/app.ts'), 'left\n');
    mkdirSync(at('node_modules/x'), { recursive: true });
    writeFileSync(at('node_modules/x/index.js'), 'x\n');
    open = await kit.open();
    const next = await begin();
    expect(next.prepared.workspace).toBe(prepared.workspace);
    expect(textOf(at('left.txt'))).toBeUndefined();
    expect(textOf(at('node_modules/x/index.js'))).toBe('x\n');
    expect(kit.git(['show', `refs/todone/${order.id}/1/left:left.txt`])).toBe('left');
    expect(kit.git(['status', '--porcelain'], prepared.workspace)).toBe('');
  });

  it('4-R5 is kept where only files were removed', async () => {
    const { order, at } = await begin();
    rmSync(at('src/app.ts'));
    await begin();
    expect(kit.git(['ls-tree', '-r', '--name-only', `refs/todone/${order.id}/1/left`])).not.toContain('src/app.ts');
    expect(textOf(at('src/app.ts'))).toBe('one\n');
  });

  it('4-R5 keeps a workspace whose work no snapshot can hold', async () => {
    const { order, prepared, at } = await begin();
    kit.git(['init', '-q', at('inner')]);
    writeFileSync(at('inner/work.txt'), 'x\n');
    await open.workspaces.release(order, prepared.workspace, never);
    expect(kit.logged.join('\n')).toContain('inner is a repository of its own');
    expect(await open.workspaces.prepare(orderOf('feature'), undefined, never)).toMatchObject({ kind: 'busy', message: expect.stringContaining('inner') });
    expect(textOf(at('inner/work.txt'))).toBe('x\n');
    rmSync(at('inner'), { recursive: true });
    await begin();
  });

  it('2-R6 makes a deleted workspace again, and says so', async () => {
    const { prepared } = await begin();
    rmSync(prepared.workspace, { recursive: true });
    const next = await begin();
    expect(next.prepared.notes.join('\n')).toContain('lost');
    expect(kit.git(['worktree', 'list']).split('\n')).toHaveLength(2);
  });

  it('12-R1 works on where all of our state was lost, and loses no work', async () => {
    const { prepared, at } = await begin();
    writeFileSync(at('left.txt'), 'left\n');
    open.git.close();
    rmSync(join(kit.top, '.git/todone'), { recursive: true });
    open = await kit.open();
    const next = await begin();
    expect(next.prepared.workspace).toBe(prepared.workspace);
    expect(kit.git(['show', `refs/todone/${next.order.id}/1/left:left.txt`])).toBe('left');
    expect(kit.git(['status', '--porcelain'], prepared.workspace)).toBe('');
  });
});

describe('snapshots', () => {
  const damage: Readonly<Record<string, (at: string) => void>> = {
    'nothing else': () => undefined,
    'the .git file deleted': (at) => rmSync(join(at, '.git')),
    'an index.lock left': (at) => writeFileSync(join(kit.git(['rev-parse', '--absolute-git-dir'], at), 'index.lock'), ''),
    'HEAD on an orphan': (at) => void kit.git(['checkout', '-q', '--orphan', 'rootless'], at),
    'everything committed': (at) => {
      kit.git(['add', '-A'], at);
      kit.git(['commit', '-qm', 'mine'], at);
    },
  };
  for (const [name, harm] of Object.entries(damage)) {
    it(`4-R5 holds and restores tracked, new, removed files and modes, with ${name}`, async () => {
      const { order, prepared, at } = await begin();
      writeFileSync(at('new.sh'), '#!/bin/sh\n');
      chmodSync(at('new.sh'), 0o755);
      writeFileSync(at('src/app.ts'), 'changed\r\n');
      rmSync(at('README.md'));
      harm(prepared.workspace);
      const ref = await open.workspaces.snapshot(order, 'implement', prepared.workspace, prepared.start);
      expect(ref).toBe(`refs/todone/${order.id}/1/implement`);
      await open.workspaces.reset(order, prepared.workspace, prepared.start);
      expect(textOf(at('src/app.ts'))).toBe('one\n');
      expect(kit.git(['status', '--porcelain'], prepared.workspace)).toBe('');
      const next = ready(await open.workspaces.prepare({ ...order, attempt: 2 }, ref, never));
      expect(next.start).toBe(prepared.start);
      expect(statSync(at('new.sh')).mode & 0o111).toBe(0o111);
      expect(textOf(at('src/app.ts'))).toBe('changed\r\n');
      expect(textOf(at('README.md'))).toBeUndefined();
    });
  }

  it('4-R5 brings kept work back beside everything else', async () => {
    const { order, prepared, at } = await begin();
    writeFileSync(at('kept.txt'), 'kept\n');
    const ref = await open.workspaces.snapshot(order, 'implement', prepared.workspace, prepared.start);
    const path = join(trees(), 'restored');
    const lock = openRepoLock(join(kit.home, 'lock.db'));
    expect(await bringBack(open.git, lock, ref!, path)).toBeUndefined();
    expect(textOf(join(path, 'kept.txt'))).toBe('kept\n');
    expect(kit.git(['status', '--porcelain'], path)).toBe('');
    expect(await bringBack(open.git, lock, ref!, path)).toContain('there already');
    expect(await bringBack(open.git, lock, 'refs/todone/none', path)).toContain('no commit');
    lock.close();
  });

  it('4-R5 does not touch the index of the workspace', async () => {
    const { order, prepared, at } = await begin();
    writeFileSync(at('staged.txt'), 'x\n');
    writeFileSync(at('not.txt'), 'x\n');
    kit.git(['add', 'staged.txt'], prepared.workspace);
    const before = kit.git(['status', '--porcelain'], prepared.workspace);
    await open.workspaces.snapshot(order, 'implement', prepared.workspace, prepared.start);
    expect(kit.git(['status', '--porcelain'], prepared.workspace)).toBe(before);
  });

  it('4-R5 keeps what an earlier snapshot of the same name held, and what the agent had committed', async () => {
    const { order, prepared, at } = await begin();
    writeFileSync(at('one.txt'), '1\n');
    kit.git(['add', '-A'], prepared.workspace);
    kit.git(['commit', '-qm', 'agent'], prepared.workspace);
    const agents = kit.git(['rev-parse', 'HEAD'], prepared.workspace);
    const snap = () => open.workspaces.snapshot(order, 'implement', prepared.workspace, prepared.start);
    const ref = await snap();
    const first = kit.git(['rev-parse', ref!]);
    expect(await snap()).toBe(ref);
    expect(kit.git(['rev-parse', ref!])).toBe(first);
    writeFileSync(at('one.txt'), '2\n');
    await snap();
    expect(kit.git(['rev-list', ref!]).split('\n')).toEqual(expect.arrayContaining([first, agents]));
  });

  it('2-R4 begins from the tip where kept work conflicts, with the old work told', async () => {
    const { order, prepared, at } = await begin();
    const other = await begin('feature', { slot: 2 });
    writeFileSync(at('src/app.ts'), 'kept\n');
    const ref = await open.workspaces.snapshot(order, 'implement', prepared.workspace, prepared.start);
    writeFileSync(other.at('src/app.ts'), 'landed\n');
    const { commit } = await land(open, landingOrder(other.order, other.prepared));
    const next = ready(await open.workspaces.prepare({ ...order, attempt: 2 }, ref, never));
    expect(next.start).toBe(commit);
    expect(textOf(at('src/app.ts'))).toBe('landed\n');
    expect(next.notes.join('\n')).toMatch(/conflicts with the branch in src\/app\.ts[^]*\+kept/);
  });

  it('5.1-R2 shows a bounded diff of all that changed', async () => {
    const { prepared, at } = await begin();
    writeFileSync(at('big.txt'), 'line\n'.repeat(5000));
    writeFileSync(at('.env'), 'A=1\n');
    rmSync(at('README.md'));
    const diff = await open.workspaces.diff(prepared.workspace, prepared.start, 500);
    expect(diff.files).toEqual(['README.md', 'big.txt']);
    expect(diff.text.length).toBeLessThanOrEqual(500);
    expect(diff.text).toContain('deleted file');
    expect(diff.text).toContain('cut off');
  });
});

describe('what an app needs besides its files', () => {
  it('4-R4 copies ignored environment files with their modes, and what .worktreeinclude names', async () => {
    kit.write('.env', 'A=1\n');
    chmodSync(join(kit.top, '.env'), 0o600);
    kit.write('.env.local', 'B=1\n');
    kit.write('local/deep/cert.pem', 'cert\n');
    kit.write('local/other.txt', 'no\n');
    kit.write('.worktreeinclude', '# what the app needs\nlocal/**/*.pem\nREADME.md\nnotignored.txt\n');
    kit.write('notignored.txt', 'x\n');
    const { order, prepared, at } = await begin();
    expect(statSync(at('.env')).mode & 0o777).toBe(0o600);
    expect(textOf(at('.env.local'))).toBe('B=1\n');
    expect(textOf(at('local/deep/cert.pem'))).toBe('cert\n');
    expect(textOf(at('local/other.txt'))).toBeUndefined();
    expect(textOf(at('notignored.txt'))).toBeUndefined();

    writeFileSync(at('.gitignore'), '\n');
    writeFileSync(at('work.txt'), 'x\n');
    const ref = await open.workspaces.snapshot(order, 'implement', prepared.workspace, prepared.start);
    const { commit } = await land(open, landingOrder(order, prepared));
    for (const name of [ref!, commit])
      expect(kit.git(['diff-tree', '-r', '--name-only', prepared.start, name]).split('\n')).toEqual(['.gitignore', 'work.txt']);
  });

  it('4-R4 does not copy an environment file that git does not ignore', async () => {
    kit.git(['rm', '-q', '--cached', '.gitignore']);
    writeFileSync(join(kit.top, '.gitignore'), 'node_modules/\n');
    kit.git(['add', '.gitignore']);
    kit.git(['commit', '-qm', 'less']);
    kit.write('.env', 'A=1\n');
    expect(textOf((await begin()).at('.env'))).toBeUndefined();
  });

  it('4-R4 renews a copy whose source changed, but not over a change made in the workspace', async () => {
    kit.write('.env', 'A=1\n');
    const { at } = await begin();
    kit.write('.env', 'A=22\n');
    await begin();
    expect(textOf(at('.env'))).toBe('A=22\n');
    writeFileSync(at('.env'), 'mine\n');
    kit.write('.env', 'A=333\n');
    const next = await begin();
    expect(textOf(at('.env'))).toBe('mine\n');
    expect(next.prepared.notes.join('\n')).toContain('.env');
    unlinkSync(at('.env'));
    await begin();
    expect(textOf(at('.env'))).toBe('A=333\n');
  });

  it('4-R4 never writes a copy through a link out of the workspace', async () => {
    kit.write('local/cert.pem', 'cert\n');
    kit.write('.env', 'A=1\n');
    kit.write('.worktreeinclude', 'local/*.pem\n');
    const { at } = await begin();
    rmSync(at('local'), { recursive: true });
    unlinkSync(at('.env'));
    symlinkSync(kit.home, at('local'));
    symlinkSync(join(kit.home, 'target'), at('.env'));
    kit.write('local/cert.pem', 'cert 2\n');
    utimesSync(join(kit.top, '.env'), 1, 1);
    await begin();
    expect(existsSync(join(kit.home, 'cert.pem'))).toBe(false);
    expect(existsSync(join(kit.home, 'target'))).toBe(false);
  });

  it('4-R4 runs afterCreate in a new workspace, and again when a lockfile changes; beforeRun and afterRun each time', async () => {
    open = await kit.open({
      config: {
        hooks: {
          afterCreate: 'echo create >> node_modules.log; mkdir -p node_modules; echo "$TODONE_PORT" > node_modules/port',
          beforeRun: 'echo before >> node_modules.log',
          afterRun: `echo "$TODONE_ID" >> ${kit.home}/after`,
        },
      },
    });
    kit.write('.gitignore', 'node_modules*\n');
    kit.git(['commit', '-qam', 'ignore']);
    const one = await begin();
    expect(textOf(one.at('node_modules.log'))).toBe('create\nbefore\n');
    expect(textOf(one.at('node_modules/port'))).toBe(`${one.prepared.port}\n`);
    await open.workspaces.release(one.order, one.prepared.workspace, never);
    const two = await begin();
    expect(textOf(two.at('node_modules.log'))).toBe('create\nbefore\nbefore\n');
    writeFileSync(two.at('package-lock.json'), '{}\n');
    await land(open, landingOrder(two.order, two.prepared));
    await open.workspaces.release(two.order, two.prepared.workspace, never);
    const three = await begin();
    expect(textOf(three.at('node_modules.log'))).toBe('create\nbefore\nbefore\ncreate\nbefore\n');
    expect(textOf(join(kit.home, 'after'))).toBe(`${one.order.id}\n${two.order.id}\n`);
  });

  it('4-R4 tells why a hook failed, and runs it again the next time', async () => {
    open = await kit.open({ config: { hooks: { afterCreate: `test -e ${kit.home}/ok || { echo no network >&2; exit 3; }` } } });
    const order = orderOf('feature');
    const failed = await open.workspaces.prepare(order, undefined, never);
    expect(failed).toMatchObject({ kind: 'failed', transient: false, message: expect.stringMatching(/afterCreate .*exit 3.*no network/s) });
    writeFileSync(join(kit.home, 'ok'), '');
    ready(await open.workspaces.prepare(order, undefined, never));
  });

  it('4-R4 does not let what a hook changes into the commit', async () => {
    open = await kit.open({ config: { hooks: { beforeRun: 'echo more >> src/app.ts; echo x > generated.txt' } } });
    const { order, prepared, at } = await begin();
    expect(prepared.notes.join('\n')).toContain('generated.txt');
    writeFileSync(at('work.txt'), 'x\n');
    const { commit } = await land(open, landingOrder(order, prepared));
    expect(kit.git(['diff-tree', '-r', '--name-only', prepared.start, commit])).toBe('work.txt');
  });

  it('4-R4 stops a prepare that is aborted', async () => {
    const stop = new AbortController();
    stop.abort();
    expect((await open.workspaces.prepare(orderOf('feature'), undefined, stop.signal)).kind).toBe('failed');
    expect(existsSync(trees())).toBe(false);
  });
});
