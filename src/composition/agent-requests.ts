/**
 * What the owner answers an agent in a run: its token says whose run it is, the table of tools what it may ask. Nothing here
 * starts, approves or stops anything, and nothing is said for another task.
 */
import { z } from 'zod';
import type { Desk, Seat } from '../adapters/agents/desk.ts';
import type { Door, Log } from '../engine/ports.ts';
import type { Caller } from '../runs/caller.ts';
import type { Scene } from '../runs/choose.ts';
import { resolve } from '../runs/resolve.ts';
import type { Called } from '../runs/requests.ts';
import type { Result } from '../runs/result.ts';
import { isRunTool, RUN_TOOLS, type RunTool, type ToolAnswer } from '../runs/run-tools.ts';
import { taskViews } from '../runs/view.ts';

export type AgentRequests = {
  readonly desk: Desk;
  readonly log: Log;
  readonly door: Door;
  /** Undefined until the list was first read. */
  readonly scene: () => Scene | undefined;
};

export const agentRequestSchema = z.strictObject({ token: z.string().max(200), tool: z.string().max(100), input: z.unknown() });

/** Throws where the request is none at all; everything else is an answer that the agent can read. */
export async function answerAgent(requests: AgentRequests, written: unknown): Promise<ToolAnswer> {
  const { token, tool, input } = agentRequestSchema.parse(written);
  const found = requests.desk.find(token);
  if (found?.kind !== 'here') return strange(requests.log, found?.seat, tool);
  if (!isRunTool(tool)) return no(`there is no tool ${tool}`, `there are ${Object.keys(RUN_TOOLS).join(', ')}`);
  const parsed = RUN_TOOLS[tool].input.safeParse(input ?? {});
  if (!parsed.success) return no(z.prettifyError(parsed.error), `correct the input of ${tool} and call it again`);
  return TOOLS[tool](requests, found.seat, parsed.data as never);
}

/** A late or a made-up voice: nothing that it says counts (2-R2). */
function strange(log: Log, seat: Seat | undefined, tool: string): ToolAnswer {
  const whose = seat ? ` of ${seat.agent}, whose ${seat.step} is over` : ' with an unknown token';
  log.write('warn', `refused ${tool}${whose}`, seat ? { task: seat.id, step: seat.step, ticket: seat.ticket } : {});
  return no(
    seat ? 'this phase is over: what is said now does not count' : 'this token speaks for no run',
    'end your turn; your work is kept, and the task goes on by itself',
  );
}

type Answering<T extends RunTool> = (requests: AgentRequests, seat: Seat, input: z.output<(typeof RUN_TOOLS)[T]['input']>) => ToolAnswer | Promise<ToolAnswer>;

const TOOLS: { readonly [T in RunTool]: Answering<T> } = {
  report: (_requests, seat, input) => report(seat, input),
  ask: (_requests, seat, { question }) => report(seat, { outcome: 'needs_decision', question }),
  progress(_requests, seat, { message }) {
    seat.progress(message);
    return { ok: true, message: 'noted' };
  },
  task_show({ scene }, seat, input) {
    const picture = scene();
    const name = input.task ?? seat.id;
    const located = picture && resolve(picture, name);
    const view = located && taskViews(picture).find((each) => each.line === located.task.line || each.id === name);
    return view ? { ok: true, message: JSON.stringify(view), data: { task: view } } : no(`no task is called ${name}`, 'name it by its id');
  },
  async task_ready({ door }, seat, input) {
    const called = await door.call('task.ready', input, callerOn(seat));
    return called.ok ? { ok: true, message: JSON.stringify(called.output), data: called.output } : refusedBy(called);
  },
  async file_task({ door }, seat, input) {
    const called = await door.call('task.create', { tasks: [input], section: seat.section }, callerOn(seat));
    return called.ok ? { ok: true, message: `${called.output.message}: it waits for a person`, data: called.output } : refusedBy(called);
  },
};

/** The owner names an agent of ours by its run. */
const callerOn = (seat: Seat): Caller => ({ kind: 'run', name: seat.agent.split('/')[0] ?? 'agent', via: 'mcp', run: seat.id });

const refusedBy = ({ refusal }: Extract<Called, { ok: false }>): ToolAnswer => no(refusal.message, refusal.remedy);

const AFTER_REPORT: Readonly<Record<Result['outcome'], string>> = {
  done: 'noted: the repository and its checks decide now. End your turn.',
  no_change: 'noted. End your turn.',
  failed: 'noted: it is tried again, or a person looks at it. End your turn.',
  needs_decision: 'noted: the question is written under the task. End your turn: you go on in this session when it is answered.',
  needs_prerequisite: 'noted: it goes on the list above your task. End your turn: yours is taken up again when that is done.',
};

function report(seat: Seat, result: Result): ToolAnswer {
  seat.report(result);
  return { ok: true, message: AFTER_REPORT[result.outcome] };
}

const no = (message: string, remedy: string): ToolAnswer => ({ ok: false, message, remedy });
