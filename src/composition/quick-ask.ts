/** Asks the daemon what `quick.ts` found may be asked; in a file of its own, for most commands never open a socket. */
import { callSocket } from '../adapters/socket-call.ts';
import { socketPath } from '../adapters/socket-path.ts';
import { documentOf, INDENT, jsonText } from '../surfaces/cli/json-text.ts';
import type { QuickQuestion } from './quick.ts';

/** What the whole way would have printed; undefined where nobody answers, or with anything but tasks. */
export async function askOwner({ stateDir, name, owner, limit }: QuickQuestion): Promise<string | undefined> {
  const caller = { kind: 'worker', name, via: 'cli' };
  const input = { limit, ...(owner === undefined ? {} : { owner }) };
  try {
    const answer = (await callSocket(socketPath(stateDir), { kind: 'call', name: 'task.ready', input, caller })) as Answer;
    return answer.ok ? jsonText(documentOf({ tasks: answer.output.tasks }), INDENT) : undefined;
  } catch {
    // The whole way says what is wrong.
    return undefined;
  }
}

type Answer = { readonly ok: true; readonly output: { readonly tasks: readonly object[] } } | { readonly ok: false };
