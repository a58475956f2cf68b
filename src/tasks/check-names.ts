/**
 * Names of sections against the rules of branches and folders, and against each other (4-R2, 1.4-R9). The first of two
 * that clash goes on; the later one is held. Never looks at what exists in git.
 */
import { foldedName, unsafeReason } from './name.ts';
import type { Board, Located, Problem, Section } from './task.ts';

export function sectionNames(board: Board): readonly Problem[] {
  const problems: Problem[] = [];
  const taken = new Map<string, string>();
  /** Folders that earlier names need: `feat` for `feat/x`. */
  const folders = new Map<string, string>();
  board.sections.forEach((section, index) => {
    const { name } = section;
    if (name === undefined) return;
    const { reason, folded } = spelled(section, name);
    const clash = reason ? undefined : clashOf(name, folded, taken, folders);
    if (reason)
      problems.push(
        problem(
          board,
          index,
          `"${name}" cannot be the name of a branch and a folder: it ${reason}.`,
          'Use letters, digits, "-", "_" and ".", with "/" between parts, such as feature/auth.',
        ),
      );
    else if (clash) problems.push(problem(board, index, clash.message, clash.remedy));
    else take(name, folded, taken, folders);
  });
  return problems;
}

type Spelled = { readonly reason: string | undefined; readonly folded: string };
const known = new WeakMap<Section, Spelled>();

/** What a name is by itself: worked out once per section. */
function spelled(section: Section, name: string): Spelled {
  let found = known.get(section);
  if (!found) known.set(section, (found = { reason: unsafeReason(name), folded: foldedName(name) }));
  return found;
}

function clashOf(
  name: string,
  folded: string,
  taken: ReadonlyMap<string, string>,
  folders: ReadonlyMap<string, string>,
): { readonly message: string; readonly remedy: string } | undefined {
  const same = taken.get(folded);
  if (same === name)
    return {
      message: `A section named "${name}" stands further up, and one branch cannot belong to two.`,
      remedy: 'Move these tasks below the first one, or give this section a name of its own.',
    };
  if (same !== undefined)
    return {
      message: `"${name}" and "${same}" further up differ only in the case or form of letters, and are one folder on some disks.`,
      remedy: 'Give this section another name.',
    };
  const inner = folders.get(folded);
  if (inner !== undefined)
    return {
      message: `"${inner}" further up needs a folder where "${name}" would be a branch, so git cannot have both.`,
      remedy: `Rename one of them, such as "${name}/main".`,
    };
  const outer = parents(folded)
    .map((parent) => taken.get(parent))
    .find((found) => found !== undefined);
  if (outer !== undefined)
    return {
      message: `"${outer}" further up is a branch where "${name}" needs a folder, so git cannot have both.`,
      remedy: `Rename one of them, such as "${name.replaceAll('/', '-')}".`,
    };
  return undefined;
}

function take(name: string, folded: string, taken: Map<string, string>, folders: Map<string, string>): void {
  taken.set(folded, name);
  for (const parent of parents(folded)) if (!folders.has(parent)) folders.set(parent, name);
}

/** `a` and `a/b` for `a/b/c`. */
function parents(name: string): readonly string[] {
  const parts = name.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function problem(board: Board, sectionIndex: number, message: string, remedy: string): Problem {
  const holds = board.sections[sectionIndex]!.tasks.map((task, taskIndex): Located => ({ task, sectionIndex, taskIndex }));
  return { place: { line: board.lines[sectionIndex]! + 1, column: 1 }, rule: '4-R2', severity: 'error', message, remedy, holds };
}
