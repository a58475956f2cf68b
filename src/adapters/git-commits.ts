/**
 * Writes commit objects through one `git hash-object` that stays while there is something to write: a process for each would cost
 * more than all the rest of it. What it writes is what `git commit-tree` would. Never signs, and moves no ref.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { converse, type Conversation, type ExecOptions } from './exec.ts';
import { writeWhole } from './git-config.ts';

export type Person = { readonly name: string; readonly email: string };

export type NewCommit = { readonly tree: string; readonly parents: readonly string[]; readonly message: string; readonly by: Person };

export type Commits = {
  /** The oid of the commit, which is in the object store then. */
  write(commit: NewCommit): Promise<string>;
  close(): void;
};

const IDLE_MS = 2_000;
const ANSWER_MS = 30_000;
const OID = /^[0-9a-f]{40,64}$/;

/** The names of the texts of commits in `cwd`: each lies there for a moment, and for good where its process is killed then. */
export const COMMIT_FILE = /^commit-\d+(?:\.\d+\.new)?$/;

export function openCommits(program: string, args: readonly string[], options: Pick<ExecOptions, 'cwd' | 'env'>): Commits {
  let talk: Conversation | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  // Asked for by its name alone: a folder may be called anything, a line end included.
  const name = `commit-${process.pid}`;
  const file = join(options.cwd, name);

  const close = (): void => {
    clearTimeout(idle);
    talk?.end();
    talk = undefined;
  };
  const write = async (commit: NewCommit): Promise<string> => {
    clearTimeout(idle);
    writeWhole(file, commitText(commit, new Date()));
    try {
      const current = (talk ??= converse(program, [...args, 'hash-object', '-t', 'commit', '-w', '--no-filters', '--stdin-paths'], options));
      const answer = nextLine(current);
      current.stdin.write(`${name}\n`);
      const said = await answer;
      if (OID.test(said)) return said;
      close();
      throw new Error(`git hash-object did not write the commit: ${said}`);
    } finally {
      rmSync(file, { force: true });
      if (talk) idle = setTimeout(close, IDLE_MS);
    }
  };
  return {
    write(commit) {
      const turn = last.then(() => write(commit));
      last = turn.catch(() => undefined);
      return turn;
    },
    close,
  };
}

/** The bytes of a commit object. */
export function commitText({ tree, parents, message, by }: NewCommit, at: Date): string {
  const who = `${word(by.name) || 'unknown'} <${word(by.email)}> ${Math.floor(at.getTime() / 1000)} ${zone(at)}`;
  const heads = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`), `author ${who}`, `committer ${who}`];
  return `${heads.join('\n')}\n\n${message.replaceAll('\0', '')}`;
}

/** As git itself does: none of the characters that hold the line together, no punctuation around. */
const word = (text: string): string => text.replaceAll(/[<>\n\0]/g, '').replaceAll(/^[\s.,:;"\\']+|[\s.,:;"\\']+$/g, '');

function zone(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  return `${minutes < 0 ? '-' : '+'}${twoDigits(Math.abs(minutes) / 60)}${twoDigits(Math.abs(minutes) % 60)}`;
}

const twoDigits = (value: number): string => String(Math.floor(value)).padStart(2, '0');

/** The next line that it says, or why there is none. */
function nextLine(talk: Conversation): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let heard = '';
  const listen = (chunk: Buffer): void => {
    heard += chunk.toString('utf8');
    if (heard.endsWith('\n')) resolve(heard.trim());
  };
  const late = setTimeout(() => resolve('it did not answer'), ANSWER_MS);
  talk.stdout.on('data', listen);
  const ended = talk.ended.then((said) => said.trim() || 'it ended');
  return Promise.race([promise, ended]).finally(() => {
    clearTimeout(late);
    talk.stdout.off('data', listen);
  });
}
