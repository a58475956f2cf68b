/**
 * What a scripted model is asked and what it may answer, in one form for all dialects. The model has no memory: everything that it
 * goes by is in the request, as with a real one.
 */

/** One request, whatever its dialect. */
export type Talk = {
  readonly dialect: 'anthropic' | 'responses' | 'chat' | 'gemini';
  readonly model: string;
  /** Names of the tools on offer; none = a side request, such as for a title. */
  readonly tools: readonly string[];
  /** Every text of a user so far, the oldest first, and what came after the last one. */
  readonly prompts: readonly string[];
  /** The last prompt of ToDone's. */
  readonly prompt: string;
  /** Tool calls that the model made since that prompt, and what came back. */
  readonly calls: number;
  readonly results: readonly string[];
  /** Everything that the request says, for tests of what reaches a model. */
  readonly raw: string;
};

export type Fault = 'limit' | 'quota' | 'server' | 'auth' | 'refusal' | 'bad-request';

/** What the model does next. */
export type Step =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'shell'; readonly command: string }
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  /** A tool of ToDone's MCP server. */
  | { readonly kind: 'mcp'; readonly tool: string; readonly args: Readonly<Record<string, unknown>> }
  | { readonly kind: 'fault'; readonly fault: Fault; readonly status: number; readonly message?: string; readonly resetInSeconds?: number }
  /** Never answers, or stops in the middle of an answer. */
  | { readonly kind: 'hang'; readonly where: 'before' | 'middle' }
  /** The connection is cut in the middle of an answer. */
  | { readonly kind: 'cut' };

/** Which phase a prompt is for, by the words of the packaged prompts. */
const PHASES: readonly (readonly [phase: string, words: string])[] = [
  ['plan', 'You plan one task'],
  ['implement', 'You implement one task'],
  ['update', 'You describe a change'],
  ['resolve', 'Your change for a task meets'],
  ['investigate', 'You find something out'],
];

export const phaseOf = (prompt: string): string => PHASES.find(([, words]) => prompt.includes(words))?.[0] ?? 'other';

/** Texts that clients add to a conversation by themselves are no prompts of ours. */
export const isOurs = (text: string): boolean => phaseOf(text) !== 'other' || text.includes('todone-test');

export const say = (text: string): Step => ({ kind: 'say', text });
export const shell = (command: string): Step => ({ kind: 'shell', command });
export const mcp = (tool: string, args: Readonly<Record<string, unknown>>): Step => ({ kind: 'mcp', tool, args });
