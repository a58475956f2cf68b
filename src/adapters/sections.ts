/**
 * A section's branch: its name, its tip, and making it from the base at the first claim (4-R1). Never moves a branch
 * that exists.
 */
import { join } from 'node:path';
import type { Git } from './git.ts';
import { readHead } from './worktree-admin.ts';

export type SectionsOptions = {
  readonly git: Git;
  readonly branchPrefix: string;
  /** What new branches start from; default: HEAD of the main worktree. */
  readonly base?: string;
};

export type Sections = {
  branch(section: string): string;
  /** Where landing left the branch the last time. */
  tipRef(section: string): string;
  /** Undefined where the branch does not exist. */
  tip(section: string): Promise<string | undefined>;
  /** The tip, the branch made where it is missing; throws `NoBranch` where it cannot be. */
  ensure(section: string): Promise<string>;
  /** The commit that new branches start from. */
  baseCommit(): Promise<string | undefined>;
};

export class NoBranch extends Error {
  override name = 'NoBranch';
  readonly transient: boolean;
  constructor(message: string, transient: boolean) {
    super(message);
    this.transient = transient;
  }
}

/** What a section may be called here: the list's own check is stricter, this one keeps paths and refs whole. */
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;
const MAX_NAME = 200;

export function isSafeSection(name: string): boolean {
  const parts = name.split('/');
  return name.length <= MAX_NAME && SAFE_NAME.test(name) && parts.every((part) => !part.endsWith('.') && !part.endsWith('.lock') && !part.includes('..'));
}

export function openSections({ git, branchPrefix, base }: SectionsOptions): Sections {
  const branch = (section: string): string => `refs/heads/${branchPrefix}${section}`;
  const tip = (section: string): Promise<string | undefined> => git.objects.commitId(branch(section));

  const baseCommit = async (): Promise<string | undefined> => {
    if (base !== undefined) return (await git.objects.commitId(`refs/heads/${base}`)) ?? git.objects.commitId(base);
    const head = readHead(join(git.commonDir));
    if (head === undefined) return undefined;
    return git.objects.commitId('ref' in head ? head.ref : head.commit);
  };

  const make = async (section: string): Promise<string> => {
    const from = await baseCommit();
    if (from === undefined) {
      const message =
        base === undefined
          ? 'the repository has no commit yet: git commit --allow-empty -m "First commit"'
          : `the base ${base} is no commit: set base in the config`;
      throw new NoBranch(message, false);
    }
    const moved = await git.refs.move([{ ref: branch(section), to: from, old: '' }]);
    if (moved.kind === 'locked') throw new NoBranch(moved.message, true);
    if (moved.kind === 'failed') throw new NoBranch(`the branch ${branchPrefix}${section} cannot be made: ${moved.message}`, false);
    return (await tip(section)) ?? from;
  };

  return {
    branch,
    tipRef: (section) => `refs/todone/tips/${section}`,
    tip,
    baseCommit,
    ensure: async (section) => (await tip(section)) ?? make(section),
  };
}
