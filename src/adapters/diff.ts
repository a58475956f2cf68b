/**
 * What a workspace changed since a commit, as text of a bounded length and a list of files. Changes nothing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Git } from './git.ts';
import { buildTree, isThere, readChanges, readRecord, restoreIndex, type Workspace } from './workspace.ts';

export type Diff = { readonly text: string; readonly files: readonly string[] };

/** More bytes than characters: UTF-8. */
const BYTES_PER_CHAR = 4;
const CUT = '\n… (cut off)\n';

export async function boundedDiff(git: Git, workspace: Workspace, start: string, maxChars: number): Promise<Diff> {
  if (!isThere(workspace.path)) return { text: '', files: [] };
  if (!existsSync(join(workspace.dir, 'index'))) await restoreIndex(git, workspace, start);
  const copies = new Set(readRecord(workspace)?.copies.map((copy) => copy.path));
  const changes = await readChanges(git, workspace);
  const tree = await buildTree(
    git,
    workspace,
    changes.paths.filter((change) => !copies.has(change.name)),
  );
  const names = await git.ok(['diff-tree', '-r', '-z', '--name-only', '--no-renames', start, tree, '--']);
  const files = names
    .toString('utf8')
    .split('\0')
    .filter((name) => name !== '');
  if (files.length === 0) return { text: '', files };
  const shown = await git.run(['diff-tree', '-p', '--no-ext-diff', '--no-textconv', '--no-color', '-M', start, tree, '--'], {
    maxBytes: maxChars * BYTES_PER_CHAR,
  });
  const text = shown.stdout.toString('utf8');
  return { text: text.length > maxChars ? text.slice(0, Math.max(0, maxChars - CUT.length)) + CUT : text, files };
}
