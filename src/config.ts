/**
 * The configuration (SPEC 8): the written form as a zod schema with a description on every key, and the form that
 * the rooms rely on, with every default filled in and every time in ms. Never reads a file.
 */
import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `5s`, `2m`, `90` (seconds): the ms, or undefined. */
export function durationMs(text: string | number): number | undefined {
  if (typeof text === 'number') return Number.isFinite(text) && text >= 0 ? Math.round(text * 1000) : undefined;
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)?$/.exec(text.trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 1000));
}

/** A written time as ms, or what is wrong with it. */
function timeOf(value: string | number, context: z.RefinementCtx): number {
  const ms = durationMs(value);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: `"${value}" is not a time: write 500ms, 5s, 2m, 1h or 14d` });
  return z.NEVER;
}

const duration = (fallback: string) =>
  z
    .union([z.string(), z.number()])
    .default(fallback)
    .transform((value, context) => timeOf(value, context));

const optionalDuration = z
  .union([z.string(), z.number()])
  .optional()
  .transform((value, context) => (value === undefined ? undefined : timeOf(value, context)));

const MiB = 1024 * 1024;
const bytes = (fallback: number) => z.int().min(0).default(fallback);

/** Where in a line of JSON something is: `item.text`, `message.content.*.text`; one path or several. */
const paths = (description: string) =>
  z
    .union([z.string().min(1), z.array(z.string().min(1))])
    .default([])
    .transform((written) => (typeof written === 'string' ? [written] : written))
    .describe(description);

const fieldsSchema = z
  .strictObject({
    text: paths('What it says'),
    tool: paths('A call of a tool'),
    inputTokens: paths('Tokens that it read'),
    outputTokens: paths('Tokens that it wrote'),
    cost: paths('What it cost, in US dollars'),
    session: paths('The name of its session'),
    error: paths('What went wrong; false, 0 and an empty text are nothing'),
    limit: paths('That a rate or usage limit is reached; a time in it is when it is over'),
  })
  .describe('With output: jsonl, where things are in a line: dotted paths, * is every element');

/** The clients that ToDone knows by name. */
export const CLIENTS = ['claude', 'codex', 'gemini', 'opencode'] as const;

const agentSchema = z
  .strictObject({
    client: z
      .enum([...CLIENTS, 'acp', 'command'])
      .optional()
      .describe('What it is: a known client, any that speaks the Agent Client Protocol, or any program; default: the known client of its name, else command'),
    command: z
      .array(z.string())
      .min(1)
      .optional()
      .describe(
        'Program and arguments, for command and acp; {{prompt}}, {{prompt_file}}, {{model}}, {{session}}, {{workspace}} are filled in, never through a shell',
      ),
    path: z.string().min(1).optional().describe('Where the program of a known client is; default: its name, on the PATH'),
    args: z.array(z.string()).default([]).describe('More arguments for a known client'),
    model: z.string().min(1).optional().describe('Its model where a task names none'),
    prompt: z.enum(['stdin', 'argument', 'file']).default('stdin').describe('How the prompt reaches the program'),
    output: z.enum(['text', 'jsonl']).default('text').describe('How its output reads: as text, or as one JSON object per line'),
    fields: fieldsSchema.prefault({}),
    cumulative: z.boolean().default(false).describe('Its tokens and cost count the whole session so far'),
    resume: z.array(z.string()).default([]).describe('Arguments added where a session goes on, with {{session}} in them'),
    stop: z.enum(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']).default('SIGTERM').describe('The signal that makes it end in order'),
    env: z.record(z.string(), z.string()).default({}).describe('Variables added to its environment'),
    passEnv: z.array(z.string()).default([]).describe('Names of variables handed through from the daemon, on top of the allow-list'),
    steps: z
      .array(z.enum(['plan', 'implement', 'update']))
      .min(1)
      .default(['plan', 'implement', 'update'])
      .describe('The phases that it takes part in'),
    account: z.string().min(1).optional().describe('Whose limits it uses up, for agents that share an account; default: its own name'),
  })
  .describe('An agent: a known client with settings of its own, or any program');

const most = (what: string) => z.record(z.string(), z.int().min(1)).default({}).describe(what);

const capsSchema = z.strictObject({
  agents: most('Runs at once of an agent, by its name'),
  models: most('Runs at once on a model, by its name or alias'),
  accounts: most("Runs at once on an account: an agent's account, else its name"),
  owners: most('Runs at once for a worker: the {owner:…} of the task, else this instance'),
});

const hooksSchema = z.strictObject({
  afterCreate: z.string().optional().describe('Shell command in a new workspace, and again when its lockfiles change'),
  beforeRun: z.string().optional().describe('Shell command before each run'),
  afterRun: z.string().optional().describe('Shell command after each run'),
  beforeRemove: z.string().optional().describe('Shell command before clean removes a workspace; if it fails, the workspace is kept'),
});

const budgetSchema = z
  .strictObject({
    tokens: z.int().min(1).optional().describe('Tokens, in and out'),
    costUsd: z.number().positive().optional().describe('US dollars, where the agent says what it costs'),
    time: optionalDuration.describe('Time of agents at work, added up'),
  })
  .prefault({});

export const configSchema = z.strictObject({
  $schema: z.string().optional().describe('For editors'),
  version: z.literal(1).default(1).describe('Version of this file'),
  tasks: z.string().min(1).default('tasks.md').describe('The task list, from the top of the repository'),
  trees: z.string().min(1).default('trees').describe('Folder of the worktrees'),
  branchPrefix: z.string().default('todone/').describe("Prefix of the sections' branches"),
  base: z.string().optional().describe("What a new section's branch starts from; default: the branch of HEAD"),
  agent: z.string().optional().describe('The agent for tasks that name none; default: the first one installed'),
  agents: z
    .record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'agent names are lower-case letters, digits and -'), agentSchema)
    .default({})
    .describe('More agents, by name; the name is also their tag'),
  models: z.record(z.string(), z.string()).default({}).describe('Aliases of models: a tag {alias} chooses that model'),
  maxAgents: z.int().min(1).max(1000).default(4).describe('Runs at once on this machine'),
  parallel: z.int().min(1).max(1000).optional().describe('Runs at once in one section, where its heading has no {parallel:n}; default: no limit of its own'),
  caps: capsSchema.prefault({}).describe('More limits of runs at once'),
  attempts: z.int().min(1).max(20).default(3).describe('Attempts at a task before it is failed'),
  backoff: z
    .strictObject({ first: duration('2s'), max: duration('5m') })
    .prefault({})
    .describe('Waits between tries after a transient fault; doubled each time, with jitter'),
  claimAfter: duration('2s').describe('How long a text has to stay the same before its task is claimed'),
  interval: duration('5s').describe('How often the list is looked at, whatever the watcher says'),
  settle: duration('10s').describe('How long a list that looks torn is left alone'),
  verify: z.string().optional().describe('Command that has to pass on each commit before it lands'),
  landBatch: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Finished tasks of a section that are verified and landed together; where that fails, the one at fault is found and goes back alone'),
  landHooks: z
    .array(z.string().regex(/^(?:(?!\.{0,2}\/)[^/\0]+\/)*(?:pre-commit|commit-msg)$/, 'pre-commit or commit-msg, or the path of one in the repository'))
    .default([])
    .describe(
      "The repository's own hooks to run at landing: pre-commit, commit-msg (in .husky or .githooks), or their paths; as the base has them, never as an agent left them",
    ),
  verifyIn: z
    .enum(['workspace', 'clean'])
    .default('workspace')
    .describe("Where verify runs: in the task's workspace, or in a fresh checkout of exactly the commit, with copies and hooks"),
  syncBase: z
    .enum(['never', 'onLand', 'daily'])
    .default('never')
    .describe("When the base is merged into a section's branch by itself: after each landing, or once a day while it is worked on"),
  onSectionDone: z
    .enum(['none', 'push', 'pr', 'merge'])
    .default('none')
    .describe('What follows when all tasks of a section are done: push its branch, push and one pull request through gh, or merge it into the base'),
  remote: z
    .string()
    .min(1)
    .refine((value) => !value.startsWith('-'), 'a remote does not begin with -')
    .default('origin')
    .describe('Where push and pr go: the name of a remote, or a URL'),
  publish: z
    .boolean()
    .default(false)
    .describe('Whether the daemon pushes list and state to refs/todone/state of the remote, at each change and every hour, for an audit elsewhere'),
  prompts: z
    .partialRecord(z.enum(['plan', 'implement', 'update', 'resolve', 'investigate', 'breakdown']), z.string().min(1))
    .default({})
    .describe('Files to take as prompts, from the top of the repository: .claude/commands/fix.md; $ARGUMENTS and $1 are filled in'),
  workflow: z.string().default('default').describe('The workflow of tasks that name none'),
  workflows: z
    .record(z.string(), z.array(z.enum(['plan', 'implement', 'update'])).min(1))
    .default({})
    .describe('Workflows by name: a list of phases with implement in it'),
  handoff: z
    .enum(['triage', 'auto'])
    .default('triage')
    .describe('A task that an agent files as a prerequisite: waits for a person (triage), or may start at once (auto)'),
  hooks: hooksSchema.prefault({}).describe('Commands around workspaces and runs'),
  budgets: z
    .strictObject({ task: budgetSchema, section: budgetSchema, day: budgetSchema })
    .prefault({})
    .describe('What agents may use up; what is over its budget stops, and nothing new starts. Days are UTC'),
  limits: z
    .strictObject({
      phase: duration('60m').describe('Longest time of one phase'),
      verify: duration('15m').describe('Longest time of verify'),
      hook: duration('10m').describe('Longest time of a hook'),
      remote: duration('2m').describe('Longest time of one push, fetch or call of gh'),
      stallAfter: duration('5m').describe('A phase without event, CPU and file change for this long has stalled'),
      stopGrace: duration('10s').describe('From TERM to KILL'),
      limitWait: duration('1m').describe('How long a client may wait out a rate limit by itself; then its task waits without it'),
      sameCalls: z.int().min(0).default(5).describe('The same tool call this often, one after the other, is no progress; 0 = never'),
      sameFailures: z.int().min(0).default(5).describe('The same check failing this often on unchanged work is no progress; 0 = never'),
      outputBytes: z
        .int()
        .min(1024)
        .default(64 * 1024 * 1024)
        .describe('Most bytes of output kept per phase'),
      fileBytes: z
        .int()
        .min(1024)
        .default(10 * 1024 * 1024)
        .describe('Largest file that may land'),
    })
    .prefault({})
    .describe('Limits'),
  maxListBytes: z
    .int()
    .min(1024)
    .default(64 * 1024 * 1024)
    .describe('Largest list that is read'),
  granularity: z.enum(['off', 'warn', 'strict']).default('warn').describe('What a missing component of a task is'),
  protected: z
    .array(z.string())
    .default(['todone.config.json', 'todone.config.yaml', 'todone.config.yml', 'prompts/**', '.githooks/**', '.husky/**'])
    .describe('Paths that an agent cannot change: globs, left out of the commit'),
  sign: z.enum(['auto', 'never']).default('auto').describe('Sign commits as the global git config says'),
  sandbox: z.enum(['auto', 'none', 'bwrap']).default('auto').describe('What confines runs: auto takes the strongest that passes its self-test, and says which'),
  sandboxPaths: z
    .strictObject({
      read: z.array(z.string()).default([]).describe('Paths that runs may read although they are hidden: below home, the main worktree, temp'),
      write: z.array(z.string()).default([]).describe('Paths that runs may write outside their workspace: a cache of packages, say'),
    })
    .prefault({})
    .describe('Openings in the sandbox, absolute or from ~'),
  sandboxNetwork: z.boolean().default(true).describe('Whether runs reach the network; agents of a model need it'),
  env: z.array(z.string()).default([]).describe('Names of variables that agents get on top of the allow-list'),
  ports: z
    .strictObject({ first: z.int().min(1024).max(65000).default(43000), size: z.int().min(1).max(100).default(10) })
    .prefault({})
    .describe('TODONE_PORT: a block for each workspace'),
  keepSnapshots: duration('14d').describe('How long snapshots are kept after landing'),
  keep: z
    .strictObject({
      snapshotBytes: bytes(1024 * MiB).describe('Most bytes of snapshots of landed tasks; the oldest go first. Those of work that did not land are kept'),
      logs: duration('14d').describe('How long logs and folders of runs are kept'),
      logBytes: bytes(1024 * MiB).describe('Most bytes of logs and folders of runs'),
      versions: duration('90d').describe('How long displaced versions of the list are kept; a save that could not be merged is kept longer'),
      versionBytes: bytes(256 * MiB).describe('Most bytes of displaced versions of the list'),
      history: duration('730d').describe("How long the journal's history is kept"),
      every: duration('1h').describe('How often it is looked after in idle time'),
    })
    .prefault({})
    .describe('How much is kept, and how long'),
  audit: z
    .strictObject({
      stale: duration('24h').describe('A task in progress of which nothing was heard for this long is stale'),
      triage: duration('7d').describe('How long a task may wait for triage'),
      every: duration('24h').describe('How often a daemon looks'),
      issue: z.boolean().default(false).describe('Whether the daemon keeps one GitHub issue of it through gh'),
      commits: duration('30d').describe('How far back commits of agents without a task are looked for'),
    })
    .prefault({})
    .describe('What todone audit finds'),
  projects: z
    .array(z.string().refine((entry) => /^!?(?:\/|~\/)/.test(entry), 'a project is an absolute path or a glob, or one from ~/; ! in front leaves it out'))
    .default([])
    .describe("Only in the user's own config: the repositories that todone start --all works on, as paths or globs; ! in front leaves out what it fits"),
  workers: z.array(z.string()).default([]).describe('Names that {owner:…} and @name may use; empty = any'),
  people: z.array(z.string()).default([]).describe('Names (--as) that are persons and may approve; whoever else names himself is a worker'),
  labels: z
    .strictObject({ hash: z.boolean().default(false), at: z.boolean().default(false), todotxt: z.boolean().default(false) })
    .prefault({})
    .describe('More spellings of tags: #label, @owner, (A)'),
});

/** What a person writes. */
export type WrittenConfig = z.input<typeof configSchema>;
/** What the code relies on: every default filled in, every time in ms. */
export type Config = z.output<typeof configSchema>;
export type AgentConfig = z.output<typeof agentSchema>;

export type ConfigProblem = { readonly key: string; readonly message: string };

/** The config, or all that is wrong with it. */
export function readConfig(written: unknown): { readonly config: Config } | { readonly problems: readonly ConfigProblem[] } {
  const parsed = configSchema.safeParse(written ?? {});
  if (!parsed.success) return { problems: parsed.error.issues.flatMap(problemsOf) };
  const problems = crossRules(parsed.data);
  return problems.length > 0 ? { problems } : { config: parsed.data };
}

export const defaultConfig: Config = configSchema.parse({});
/** A known client that the config says nothing of. */
export const defaultAgent: AgentConfig = agentSchema.parse({});

/** One problem per unknown key, named by itself, so that its line can be found. */
function problemsOf(issue: z.core.$ZodIssue): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ key: [...issue.path, key].join('.'), message: 'there is no such key' }));
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return [{ key: issue.path.join('.') || '(top)', message }];
}

function crossRules(config: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const [name, steps] of Object.entries(config.workflows)) {
    if (!steps.includes('implement')) problems.push({ key: `workflows.${name}`, message: 'a workflow needs implement' });
  }
  if (!['default', 'quick'].includes(config.workflow) && !(config.workflow in config.workflows)) {
    problems.push({ key: 'workflow', message: `"${config.workflow}" is no workflow: define it under workflows, or use default or quick` });
  }
  for (const [name, agent] of Object.entries(config.agents)) problems.push(...agentProblems(name, agent));
  return problems;
}

function agentProblems(name: string, agent: AgentConfig): ConfigProblem[] {
  const isKnown = agent.client === undefined ? (CLIENTS as readonly string[]).includes(name) : (CLIENTS as readonly string[]).includes(agent.client);
  if (agent.command === undefined && !isKnown)
    return [{ key: `agents.${name}.command`, message: `${name} needs a command, or client: one of ${CLIENTS.join(', ')}` }];
  if (agent.command !== undefined && agent.client !== undefined && isKnown)
    return [{ key: `agents.${name}.command`, message: `${agent.client} is started by ToDone: use path and args, or client: command` }];
  return [];
}
