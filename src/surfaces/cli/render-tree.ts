/**
 * What tasks wait for, drawn as a tree. Pure: values in, text out.
 */
import type { TaskTree } from '../../runs/requests.ts';
import { type Look, paint } from './layout.ts';
import { STATE_TONES, STATE_WORDS } from './words.ts';

const KINDS: Readonly<Record<TaskTree['kind'], string>> = { task: '', after: '', subtask: 'subtask ', relates: 'relates ' };

export function renderTrees(trees: readonly TaskTree[], look: Look): string {
  if (trees.length === 0) return 'no task waits for another\n';
  return trees.map((tree) => `${[head(tree, look), ...below(tree.waits_for, '', look)].join('\n')}\n`).join('');
}

function below(trees: readonly TaskTree[], lead: string, look: Look): string[] {
  return trees.flatMap((tree, index) => {
    const last = index === trees.length - 1;
    return [`${lead}${last ? '└─ ' : '├─ '}${head(tree, look)}`, ...below(tree.waits_for, `${lead}${last ? '   ' : '│  '}`, look)];
  });
}

function head(tree: TaskTree, look: Look): string {
  const state = tree.status === null ? paint(look, 'bad', 'not known') : paint(look, STATE_TONES[tree.status], STATE_WORDS[tree.status]);
  const again = tree.again ? paint(look, 'faint', ' (see above)') : '';
  return `${KINDS[tree.kind]}${paint(look, 'name', tree.name)} ${state}${tree.title === '' ? '' : ` ${tree.title}`}${again}`;
}
