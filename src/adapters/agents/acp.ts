/**
 * Any agent that speaks the Agent Client Protocol, as a row: the config names its command. Those that were tried bring what a known client of
 * theirs needs of the environment; nothing else is special about them.
 */
import type { AgentConfig } from '../../config.ts';
import type { AgentEvent } from '../../engine/ports.ts';
import { findProgram } from '../find-program.ts';
import { acpTalk } from './acp-talk.ts';
import { CLAUDE } from './claude.ts';
import { quoted } from './client.ts';
import { CODEX, codexSettings } from './codex.ts';
import { notFound } from './command.ts';
import { GEMINI } from './gemini.ts';
import { OPENCODE, OPENCODE_ACP } from './opencode.ts';
import { keptBy, keptByAny } from './keeps.ts';
import type { AgentRow, Call } from './row.ts';

type Preset = {
  /** The known client that it is. */
  readonly kind: string;
  /** Words of the command that tell it. */
  readonly words: RegExp;
  readonly keys: readonly string[];
  readonly login: string;
  env(call: Call, model: string | undefined, config: AgentConfig): Readonly<Record<string, string>>;
  /** What it takes with a session beside the protocol: its name, and that it asks no model of its own accord. */
  meta?(title: string): Readonly<Record<string, unknown>>;
  /** It tells of a failure in words and ends its turn as if all were well. */
  readonly failsInWords?: boolean;
  /** What the protocol has no place for: arguments, settings on top of a person's, and one line of stderr as events. */
  readonly aside?: {
    readonly args: readonly string[];
    env(call: Call, config: AgentConfig): Readonly<Record<string, string>>;
    complaint(line: string, now: number): readonly AgentEvent[];
  };
};

const PRESETS: readonly Preset[] = [
  {
    kind: 'gemini',
    words: /\bgemini\b/,
    keys: GEMINI.keys,
    login: GEMINI.login,
    env: (_call, model) => ({ GEMINI_CLI_NO_RELAUNCH: 'true', GEMINI_CLI_TRUST_WORKSPACE: 'true', ...(model === undefined ? {} : { GEMINI_MODEL: model }) }),
  },
  {
    kind: 'opencode',
    words: /\bopencode\b/,
    keys: OPENCODE.keys,
    login: OPENCODE.login,
    env: () => ({ OPENCODE_DISABLE_AUTOUPDATE: '1' }),
    aside: OPENCODE_ACP,
  },
  {
    kind: 'claude',
    words: /\bclaude\b/,
    keys: CLAUDE.keys,
    login: CLAUDE.login,
    env: (_call, model) => ({
      DISABLE_AUTOUPDATER: '1',
      // Else it keeps our tools back until it looks for them.
      ENABLE_TOOL_SEARCH: 'false',
      // And asks the model what a person might say next, who is not there.
      CLAUDE_CODE_ENABLE_PROMPT_SUGGESTION: 'false',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      ...(process.getuid?.() === 0 ? { IS_SANDBOX: '1' } : {}),
      ...(model === undefined ? {} : { ANTHROPIC_MODEL: model }),
    }),
    // In a plan it would ask a model about each command; a plan may read, and is refused the rest.
    meta: (title) => ({ claudeCode: { options: { title, settings: { useAutoModeDuringPlan: false } } } }),
  },
  {
    kind: 'codex',
    words: /\bcodex\b/,
    keys: CODEX.keys,
    login: CODEX.login,
    env: ({ order }, _model, config) => ({ INITIAL_AGENT_MODE: order.readOnly ? 'read-only' : 'agent-full-access', CODEX_CONFIG: codexSettings(config) }),
    failsInWords: true,
  },
];

export function acpRow(name: string, config: AgentConfig): AgentRow {
  const [program = '', ...args] = config.command ?? [];
  const preset = PRESETS.find(({ words }) => words.test((config.command ?? []).join(' ')));
  const allArgs = [...args, ...(preset?.aside?.args ?? []), ...config.args];
  return {
    name,
    takes: 'anything',
    steps: config.steps,
    learns: true,
    problem: ({ env, top }) => (findProgram(program, env, top) ? undefined : notFound(name, program)),
    invoke(call) {
      const { order, mcp, around } = call;
      const model = order.model ?? config.model;
      const title = `ToDone ${order.id}`;
      return {
        program: findProgram(program, around.env, around.top) ?? program,
        args: allArgs,
        env: { ...preset?.env(call, model, config), ...config.env, ...preset?.aside?.env(call, config) },
        passed: [...(preset?.keys ?? []), ...config.passEnv],
        keeps: preset ? keptBy(preset.kind, { ...around.env, ...config.env }) : keptByAny({ ...around.env, ...config.env }),
        called: program,
        talk: acpTalk({ order, mcp, model, failsInWords: preset?.failsInWords ?? false, title, meta: preset?.meta?.(title) }),
      };
    },
    preview: () => [program, ...allArgs].map(quoted).join(' '),
    // Only what it says on stderr comes in lines.
    reader: (now) => (line) => preset?.aside?.complaint(line, now()) ?? [{ kind: 'text', text: line, aside: true }],
    login: preset?.login,
  };
}
