/**
 * Questions to git's object store, asked of one `cat-file` that stays while there is something to ask: what a name
 * stands for, what a commit or a file holds. Never writes; an answer is never kept, because refs move.
 */
import { converse, type Conversation, type ExecOptions } from './exec.ts';

export type GitObject = { readonly oid: string; readonly type: string; readonly size: number };

export type GitCommit = { readonly oid: string; readonly tree: string; readonly parents: readonly string[]; readonly message: string };

export type Objects = {
  /** What a name (ref, oid, `commit:path`, `x^{tree}`) stands for. */
  info(name: string): Promise<GitObject | undefined>;
  /** The oid of the commit that a name stands for. */
  commitId(name: string): Promise<string | undefined>;
  commit(name: string): Promise<GitCommit | undefined>;
  /** A blob's bytes; undefined where there is none or it is larger than `maxBytes`. */
  blob(name: string, maxBytes: number): Promise<Buffer | undefined>;
  /** The shortest unique abbreviation of at least seven characters. */
  abbreviation(oid: string): Promise<string>;
  close(): void;
};

type Question = {
  readonly verb: 'info' | 'contents';
  readonly answer: (found: { readonly head: GitObject; readonly body: Buffer } | undefined) => void;
  readonly fail: (error: Error) => void;
};

const IDLE_MS = 2_000;
const SHORTEST_HASH = 7;
const MAX_COMMIT_BYTES = 16 * 1024 * 1024;
const HEADER = /^([0-9a-f]{40,64}) ([a-z]+) (\d+)$/;

export function openObjects(program: string, args: readonly string[], options: Pick<ExecOptions, 'cwd' | 'env'>): Objects {
  let talk: Talk | undefined;
  let idle: NodeJS.Timeout | undefined;

  const ask = (verb: Question['verb'], name: string): Promise<{ head: GitObject; body: Buffer } | undefined> => {
    // A name with a line end could not be asked for, and is no name of anything.
    if (/[\n\r\0]/.test(name) || name === '') return Promise.resolve(undefined);
    clearTimeout(idle);
    if (!talk || talk.over) talk = startTalk(converse(program, [...args, 'cat-file', '--batch-command'], options));
    const current = talk;
    return new Promise<{ head: GitObject; body: Buffer } | undefined>((answer, fail) => current.ask({ verb, answer, fail }, name)).finally(() => {
      clearTimeout(idle);
      if (current.waiting() === 0) idle = setTimeout(() => current.end(), IDLE_MS);
    });
  };
  const info: Objects['info'] = async (name) => (await ask('info', name))?.head;
  const body = async (name: string, maxBytes: number): Promise<{ head: GitObject; body: Buffer } | undefined> => {
    const head = await info(name);
    return head && head.size <= maxBytes ? ask('contents', head.oid) : undefined;
  };

  return {
    info,
    commitId: async (name) => (await info(`${name}^{commit}`))?.oid,
    async commit(name) {
      const found = await body(`${name}^{commit}`, MAX_COMMIT_BYTES);
      return found?.head.type === 'commit' ? parseCommit(found.head.oid, found.body.toString('utf8')) : undefined;
    },
    async blob(name, maxBytes) {
      const found = await body(name, maxBytes);
      return found?.head.type === 'blob' ? found.body : undefined;
    },
    async abbreviation(oid) {
      for (let length = SHORTEST_HASH; length < oid.length; length += 1) {
        const short = oid.slice(0, length);
        if ((await info(short))?.oid === oid) return short;
      }
      return oid;
    },
    close() {
      clearTimeout(idle);
      talk?.end();
      talk = undefined;
    },
  };
}

type Talk = { over: boolean; ask(question: Question, name: string): void; waiting(): number; end(): void };

/** One running `cat-file`: questions are answered in their order. */
function startTalk(conversation: Conversation): Talk {
  const queue: Question[] = [];
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let needed = 0;

  const drain = (): void => {
    let data = Buffer.concat(pending);
    for (;;) {
      const question = queue[0];
      const end = data.indexOf(10);
      if (!question || end < 0) break;
      const match = HEADER.exec(data.toString('utf8', 0, end));
      const size = match && question.verb === 'contents' ? Number(match[3]) + 1 : 0;
      needed = end + 1 + size;
      if (data.length < needed) break;
      const head = match ? { oid: match[1]!, type: match[2]!, size: Number(match[3]) } : undefined;
      const body = Buffer.from(data.subarray(end + 1, end + size));
      data = data.subarray(needed);
      needed = 0;
      queue.shift();
      question.answer(head && { head, body });
    }
    pending = [data];
    pendingBytes = data.length;
  };
  conversation.stdout.on('data', (chunk: Buffer) => {
    pending.push(chunk);
    pendingBytes += chunk.length;
    if (pendingBytes >= needed) drain();
  });

  const talk: Talk = {
    over: false,
    ask(question, name) {
      queue.push(question);
      conversation.stdin.write(`${question.verb} ${name}\n`);
    },
    waiting: () => queue.length,
    end() {
      talk.over = true;
      conversation.end();
    },
  };
  void conversation.ended.then(() => {
    talk.over = true;
    for (const question of queue.splice(0)) question.fail(new Error('git cat-file ended before it answered'));
  });
  return talk;
}

function parseCommit(oid: string, text: string): GitCommit {
  const cut = text.indexOf('\n\n');
  const lines = (cut < 0 ? text : text.slice(0, cut)).split('\n');
  const values = (name: string): string[] => lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  return { oid, tree: values('tree')[0] ?? '', parents: values('parent'), message: cut < 0 ? '' : text.slice(cut + 2) };
}
