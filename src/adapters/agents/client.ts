/**
 * The clients that ToDone knows by name, as rows: what each kind of client brings is in a file of its own; what a person's config says
 * of path, arguments, model and environment is added here. Never branches on a kind.
 */
import type { AgentConfig } from '../../config.ts';
import { findProgram } from '../find-program.ts';
import { keptBy } from './keeps.ts';
import type { AgentRow, Call, CodeMeaning, Invocation, Reader, Surroundings } from './row.ts';

/** What makes one client another than the next. */
export type ClientKind = {
  readonly kind: string;
  /** Its name on the PATH. */
  readonly program: string;
  readonly install: string;
  readonly login: string;
  /** Variables that it may need from the daemon's environment: keys, addresses, where its own settings are. */
  readonly keys: readonly string[];
  readonly sessionGone: RegExp;
  readonly stopSignal: NodeJS.Signals;
  command(call: Call, model: string | undefined, config: AgentConfig): Pick<Invocation, 'args' | 'env'> & { readonly files?: Invocation['files'] };
  /** For the dry run: what differs from call to call is left out. */
  reader(now: () => number): Reader;
  codes?(code: number): CodeMeaning | undefined;
};

export function clientRow(name: string, kind: ClientKind, config: AgentConfig): AgentRow {
  const wanted = config.path ?? kind.program;
  const where = ({ env, top }: Surroundings): string | undefined => findProgram(wanted, env, top);
  return {
    name,
    takes: 'anything',
    steps: config.steps,
    learns: true,
    problem: (around) =>
      where(around) !== undefined
        ? undefined
        : config.path === undefined
          ? `${wanted} is not on the PATH: ${kind.install}, or set agents.${name}.path in the config`
          : `${wanted} is not a program that can be started: correct agents.${name}.path in the config`,
    invoke(call) {
      const model = call.order.model ?? config.model;
      const { args, env, files } = kind.command(call, model, config);
      return {
        program: where(call.around) ?? wanted,
        args: [...args, ...config.args],
        env: { ...env, ...config.env },
        passed: [...kind.keys, ...config.passEnv],
        inputFile: call.promptFile,
        called: wanted,
        files,
        keeps: keptBy(kind.kind, { ...call.around.env, ...config.env }),
        stopSignal: kind.stopSignal,
      };
    },
    preview: (model) => [wanted, ...previewArgs(kind, config, model)].map(quoted).join(' ').concat(' < <prompt file>'),
    reader: (now) => kind.reader(now),
    version: (around) => [where(around) ?? wanted, '--version'],
    login: kind.login,
    sessionGone: kind.sessionGone,
    codes: (code) => kind.codes?.(code),
  };
}

function previewArgs(kind: ClientKind, config: AgentConfig, model: string | undefined): readonly string[] {
  const { args } = kind.command(PREVIEW, model ?? config.model, config);
  return [...args, ...config.args];
}

const PREVIEW: Call = {
  order: {
    id: '',
    ticket: 0,
    attempt: 1,
    section: '',
    slot: 1,
    step: 'implement',
    workspace: '<workspace>',
    start: '',
    port: 0,
    agent: '',
    prompt: '',
    task: { id: '', section: '', title: '', text: '', details: '', fields: [], notes: [], tags: [] },
    readOnly: false,
    limitMs: 0,
  },
  promptFile: '<prompt file>',
  folder: '<run folder>',
  mcp: undefined,
  around: { env: {}, top: '/' },
};

/** As a shell would read it; what stands for a value stays as it is. */
export const quoted = (arg: string): string => (/^[\w@%+=:,./{}-]*(?:<[a-z ]+>)?$/.test(arg) && arg !== '' ? arg : `'${arg.replaceAll("'", "'\\''")}'`);
