import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repoFeatures } from '../../src/adapters/repo-features.ts';
import { land, landingOrder, makeKit, never, orderOf, ready, type Kit, type Open } from './git-kit.ts';

let kit: Kit;
beforeEach(() => {
  kit = makeKit();
});
afterEach(() => kit.close());

const begin = async (open: Open, more = {}) => {
  const order = orderOf('feature', more);
  const prepared = ready(await open.workspaces.prepare(order, undefined, never));
  return { order, prepared, at: (path: string) => join(prepared.workspace, path) };
};

describe('a submodule', () => {
  let library: string;
  const fill = (cwd: string) => kit.git(['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init'], cwd);
  beforeEach(() => {
    library = join(kit.home, 'library');
    kit.git(['init', '-q', library]);
    kit.write('lib.txt', 'library\n', library);
    kit.git(['add', '-A'], library);
    kit.git(['commit', '-qm', 'library'], library);
    kit.git(['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'vendor/lib']);
    kit.git(['commit', '-qm', 'with a submodule']);
  });
  const pointsTo = (commit: string): string => kit.git(['rev-parse', `${commit}:vendor/lib`]);

  it('4-R12 stays what the base has, empty or filled by a hook, and however often the workspace is used again', async () => {
    const open = await kit.open({ runHook: async (_, cwd) => ({ code: 0, output: fill(cwd), timedOut: false }), config: { hooks: { afterCreate: 'fill' } } });
    for (const name of ['one', 'two']) {
      const { order, prepared, at } = await begin(open, { id: `task${name}0`.slice(0, 8) });
      expect(readFileSync(at('vendor/lib/lib.txt'), 'utf8')).toBe('library\n');
      writeFileSync(at(`${name}.txt`), 'x\n');
      const { commit } = await land(open, landingOrder(order, prepared));
      expect(kit.git(['diff-tree', '-r', '--name-only', prepared.start, commit])).toBe(`${name}.txt`);
      expect(pointsTo(commit)).toBe(pointsTo('main'));
      await open.workspaces.release(order, prepared.workspace, never);
    }
    expect(existsSync(join(kit.top, 'trees/feature~2'))).toBe(false);
  });

  it('4-R12 is not moved by an agent, and that is said', async () => {
    const open = await kit.open();
    const { order, prepared, at } = await begin(open);
    fill(prepared.workspace);
    kit.write('lib.txt', 'changed\n', at('vendor/lib'));
    kit.git(['commit', '-qam', 'of the agent'], at('vendor/lib'));
    const said = 'left out of the commit: vendor/lib (a submodule: what it points to is for a person to commit)';
    expect(await open.landing.squash(landingOrder(order, prepared))).toMatchObject({ kind: 'empty', notes: [said] });
    kit.git(['add', 'vendor/lib'], prepared.workspace);
    writeFileSync(at('mine.txt'), 'x\n');
    const squashed = await open.landing.squash(landingOrder(order, prepared));
    expect(squashed).toMatchObject({ kind: 'commit', notes: [said] });
    expect(squashed.kind === 'commit' && pointsTo(squashed.commit)).toBe(pointsTo('main'));
  });

  it('4-R12 is named to doctor, and so is what Git LFS and a sparse checkout lack', async () => {
    expect(await repoFeatures(kit.top)).toEqual({ submodules: ['vendor/lib'], sparse: false, lfs: 'none' });
    kit.write('.gitattributes', '*.bin filter=lfs diff=lfs merge=lfs -text\n');
    kit.git(['sparse-checkout', 'set', '--no-cone', '/*']);
    expect(await repoFeatures(kit.top)).toMatchObject({ sparse: true });
    kit.git(['config', 'filter.lfs.clean', 'git-lfs clean -- %f']);
    expect(await repoFeatures(kit.top)).toMatchObject({ lfs: 'ready' });
  });

  it('4-R12 refuses work that was written into its empty folder, and keeps it', async () => {
    const open = await kit.open();
    const { order, prepared, at } = await begin(open);
    writeFileSync(at('vendor/lib/new.txt'), 'work\n');
    const refused = await open.landing.squash(landingOrder(order, prepared));
    expect(refused).toMatchObject({ kind: 'refused', message: 'not landed: vendor/lib is the folder of a submodule, with files in it' });
    await open.workspaces.release(order, prepared.workspace, never);
    expect(readFileSync(at('vendor/lib/new.txt'), 'utf8')).toBe('work\n');
    expect(kit.logged.join('\n')).toContain('is kept as it is: vendor/lib is the folder of a submodule');
  });
});

const hasLfs = (() => {
  try {
    execFileSync('git', ['lfs', 'version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasLfs)('Git LFS', () => {
  it('4-R12 smudges what the base has, and lands a new file as a pointer with its object in the repository', async () => {
    kit.git(['lfs', 'install', '--skip-repo']);
    kit.git(['lfs', 'track', '*.bin']);
    kit.write('old.bin', 'old '.repeat(100));
    kit.git(['add', '-A']);
    kit.git(['commit', '-qm', 'with LFS']);
    const open = await kit.open();
    const { order, prepared, at } = await begin(open);
    expect(readFileSync(at('old.bin'), 'utf8')).toBe('old '.repeat(100));
    mkdirSync(at('art'));
    writeFileSync(at('art/new.bin'), 'new '.repeat(100));
    const { commit } = await land(open, landingOrder(order, prepared));
    expect(kit.git(['diff-tree', '-r', '--name-only', prepared.start, commit])).toBe('art/new.bin');
    const pointer = kit.git(['show', `${commit}:art/new.bin`]);
    const oid = /^version https:\/\/git-lfs[^]*oid sha256:([0-9a-f]{64})/.exec(pointer)?.[1] ?? '';
    expect(readFileSync(join(kit.top, '.git/lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid), 'utf8')).toBe('new '.repeat(100));
  });
});
