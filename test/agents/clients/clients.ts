/**
 * The rows of the matrix: each client as a person would have set it up for a model on this machine, and how often it asks before it gives up.
 */
import type { AgentConfig } from '../../../src/config.ts';

export type Client = {
  /** The row's name, and the agent's. */
  readonly name: string;
  /** Programs that have to be on the PATH. */
  readonly needs: readonly string[];
  readonly agent: Partial<AgentConfig>;
  readonly model?: string;
  /** Files of its home folder, and variables of the daemon's environment. */
  files(url: string): Readonly<Record<string, string>>;
  env(url: string): Readonly<Record<string, string>>;
  /** Requests until it gives up on a server that fails; where it tries for minutes, fewer, so that it recovers by itself. */
  readonly failures: number;
  /** What it cannot do or tell, by case: the case then passes on what is left, and names this. */
  readonly limits: Readonly<Record<string, string>>;
  /** Variables for one case. */
  readonly caseEnv?: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

const KEY = 'test-key-of-nobody';

const claudeEnv = (url: string): Readonly<Record<string, string>> => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: KEY });
const CLAUDE_RETRIES = { CLAUDE_CODE_MAX_RETRIES: '1' };

/** A subscription is told when its limit is over; a key is not. */
const SUBSCRIPTION = { limit: { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-of-nobody' } };

const codexFiles = (url: string): Readonly<Record<string, string>> => ({
  '.codex/config.toml': `model = "gpt-5.5"
model_provider = "scripted"
[model_providers.scripted]
name = "scripted"
base_url = "${url}/v1"
env_key = "SCRIPTED_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1
stream_idle_timeout_ms = 60000
`,
});

const geminiFiles = (): Readonly<Record<string, string>> => ({
  '.gemini/settings.json': '{"security":{"auth":{"selectedType":"gemini-api-key"}},"general":{"maxAttempts":2}}',
});
const geminiEnv = (url: string): Readonly<Record<string, string>> => ({ GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: url });

const opencodeFiles = (url: string): Readonly<Record<string, string>> => ({
  '.config/opencode/opencode.json': JSON.stringify({
    model: 'scripted/scripted-model',
    small_model: 'scripted/scripted-model',
    provider: {
      scripted: {
        npm: '@ai-sdk/openai-compatible',
        options: { baseURL: `${url}/v1`, apiKey: KEY },
        models: { 'scripted-model': { limit: { context: 100_000, output: 8000 }, cost: { input: 3, output: 15 } } },
      },
    },
  }),
});
const OPENCODE_ENV = { OPENCODE_DISABLE_MODELS_FETCH: '1' };

export const CLIENTS: readonly Client[] = [
  { name: 'claude', needs: ['claude'], agent: { env: CLAUDE_RETRIES }, files: () => ({}), env: claudeEnv, failures: 2, limits: {}, caseEnv: SUBSCRIPTION },
  {
    name: 'codex',
    needs: ['codex'],
    agent: { passEnv: ['SCRIPTED_KEY'] },
    files: codexFiles,
    env: () => ({ SCRIPTED_KEY: KEY }),
    failures: 4,
    limits: {},
  },
  { name: 'gemini', needs: ['gemini'], agent: { model: 'gemini-2.5-pro' }, files: geminiFiles, env: geminiEnv, failures: 2, limits: {} },
  { name: 'opencode', needs: ['opencode'], agent: { env: OPENCODE_ENV }, files: opencodeFiles, env: () => ({}), failures: 2, limits: {} },
  {
    name: 'acp-gemini',
    needs: ['gemini'],
    agent: { client: 'acp', command: ['gemini', '--acp'], model: 'gemini-2.5-pro' },
    files: geminiFiles,
    env: geminiEnv,
    failures: 2,
    limits: {
      phases: 'answers session/load with "No previous sessions found": each phase has a session of its own, with everything in its prompt',
      question: 'answers session/load with "No previous sessions found": it goes on in a new session, with everything in its prompt',
      limit: 'does not tell when a quota is over: its task waits the backoff',
    },
  },
  {
    name: 'acp-opencode',
    needs: ['opencode'],
    agent: { client: 'acp', command: ['opencode', 'acp'], env: OPENCODE_ENV },
    files: opencodeFiles,
    env: () => ({}),
    failures: 2,
    limits: { usage: "tells the tokens of a turn's last request only" },
  },
  {
    name: 'acp-claude',
    needs: ['claude-agent-acp'],
    agent: { client: 'acp', command: ['claude-agent-acp'], env: CLAUDE_RETRIES },
    files: () => ({}),
    env: claudeEnv,
    failures: 2,
    limits: {},
    caseEnv: SUBSCRIPTION,
  },
  {
    name: 'acp-codex',
    needs: ['codex-acp'],
    agent: { client: 'acp', command: ['codex-acp'], passEnv: ['SCRIPTED_KEY'] },
    files: codexFiles,
    env: () => ({ SCRIPTED_KEY: KEY }),
    failures: 4,
    limits: {},
  },
];
