/**
 * The repositories that the user's own config lists (6.5-R2): paths as they are written, globs as what they fit now and looks like a
 * project. Starts no process, and reads no file.
 */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { basename, join } from 'node:path';
import picomatch from 'picomatch';

export type ProjectPath = {
  /** The shortest end of its path that no other project has: `api`, or `shop/api`. */
  readonly name: string;
  /** Absolute, links resolved; as written where nothing is there. */
  readonly path: string;
};

/** A glob that fits a whole disk is a mistake. */
const PROJECTS_MAX = 2000;
const CONFIGS = ['todone.config.json', 'todone.config.yaml', 'todone.config.yml'];

/** `entries` are absolute or begin with `~/`, `!` in front; `tasks` = the name of a list where no config says another. */
export async function projectPaths(entries: readonly string[], options: { readonly home: string; readonly tasks: string }): Promise<ProjectPath[]> {
  const whole = (entry: string): string => entry.replace(/^~(?=\/)/, options.home).replace(/(?<=.)\/+$/, '');
  const isOut = picomatch(
    entries.filter((entry) => entry.startsWith('!')).map((entry) => whole(entry.slice(1))),
    { dot: true },
  );
  const found = new Set<string>();
  for (const entry of entries) {
    if (entry.startsWith('!')) continue;
    for (const path of await fitting(whole(entry), options.tasks)) if (!isOut(path) && !isOut(realOf(path))) found.add(realOf(path));
    if (found.size > PROJECTS_MAX) break;
  }
  return named([...found].slice(0, PROJECTS_MAX));
}

/** Large, and no place for a project. */
const exclude = (path: string): boolean => /^(?:\.git|node_modules)$/.test(basename(path));

async function fitting(entry: string, tasks: string): Promise<string[]> {
  if (existsSync(entry) || !picomatch.scan(entry).isGlob) return [entry];
  const found: string[] = [];
  for await (const path of glob(entry, { exclude })) {
    if (looksLikeOne(path, tasks)) found.push(path);
    if (found.length > PROJECTS_MAX) break;
  }
  return found.toSorted();
}

/** The main worktree of a repository with a list or a config: a linked worktree, which ToDone makes by itself, is none. */
function looksLikeOne(path: string, tasks: string): boolean {
  return statSync(join(path, '.git'), { throwIfNoEntry: false })?.isDirectory() === true && [tasks, ...CONFIGS].some((name) => existsSync(join(path, name)));
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function named(paths: readonly string[]): ProjectPath[] {
  return paths.map((path) => {
    const parts = path.split('/').filter((part) => part !== '');
    for (let count = 1; ; count++) {
      const name = parts.slice(-count).join('/');
      if (count >= parts.length || paths.every((other) => other === path || !other.endsWith(`/${name}`))) return { name, path };
    }
  });
}

/** Changes when something at a project's place does that could let it be opened: cheap enough for every other second. */
export function traceOf(path: string, tasks: string): string {
  return ['', '.git', '.git/HEAD', '.git/todone/owner.json', tasks, ...CONFIGS]
    .map((name) => {
      const stats = statSync(join(path, name), { throwIfNoEntry: false });
      return stats ? `${stats.ino} ${stats.mtimeMs} ${stats.mode}` : '-';
    })
    .join('\n');
}
