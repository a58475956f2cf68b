/**
 * The global view (6.5-R2): every project of the user's own config, looked at like a single one, whether a daemon runs there or not; and
 * the door to a project that a request names (9-R4). Opens nothing that has to be closed.
 */
import type { Door } from '../engine/ports.ts';
import type { Called, RequestName } from '../runs/requests.ts';
import { refusal } from '../runs/requests.ts';
import type { App, Globals, Looked } from '../surfaces/cli/app.ts';
import { type CliFailure, isFailure } from '../surfaces/cli/failure.ts';
import { findProject, listedProjects, missingProject } from './projects.ts';
import { turns } from './turns.ts';

/** How many are looked at at the same time: each may wait for its daemon, and none for the others. */
const LOOKING_MAX = 16;

type Open = (globals: Globals) => Promise<App | CliFailure>;

/** In the order of the config; `open` for reading alone. */
export async function lookAtAll<T>(globals: Globals, open: Open, look: (app: App) => Promise<T | CliFailure>): Promise<readonly Looked<T>[] | CliFailure> {
  const listed = await listedProjects(process.cwd(), process.env);
  if (isFailure(listed)) return listed;
  const inTurn = turns(LOOKING_MAX);
  return Promise.all(
    listed.map(({ name: project, path }) =>
      inTurn(async (): Promise<Looked<T>> => {
        const found = missingProject(path, process.env) ?? (await opened(() => open({ ...globals, repo: path }), look));
        return isFailure(found) ? { project, path, problem: { message: found.message, remedy: found.remedy } } : { project, path, problem: null, found };
      }),
    ),
  );
}

/** What one project throws is no reason to show none. */
async function opened<T>(open: () => Promise<App | CliFailure>, look: (app: App) => Promise<T | CliFailure>): Promise<T | CliFailure> {
  try {
    const app = await open();
    return isFailure(app) ? app : await look(app);
  } catch (error) {
    const remedy = error instanceof Error && 'remedy' in error ? String(error.remedy) : 'todone doctor there says more';
    return { kind: 'failure', code: 3, message: error instanceof Error ? error.message : String(error), remedy };
  }
}

/** Requests that may name a project. */
const NAMING: ReadonlySet<RequestName> = new Set<RequestName>(['task.list', 'task.ready', 'task.create']);

/** The door of a list, which also leads to those of the other projects. */
export function doorToAll(own: Door, here: string, open: (path: string) => Promise<App | CliFailure>): Door {
  return {
    async call(request, input, caller) {
      const word = NAMING.has(request) && typeof input === 'object' && input !== null && 'project' in input ? input.project : undefined;
      if (typeof word !== 'string' || word === '') return own.call(request, input, caller);
      if (caller.kind === 'run')
        return { ok: false, refusal: refusal('forbidden', 'an agent inside a run may not ask for another project', 'leave project out') };
      const project = await findProject(word, process.cwd(), process.env);
      if (isFailure(project)) return { ok: false, refusal: refusal('unknown', project.message, project.remedy) };
      const { project: _project, ...rest } = input as { readonly project: string };
      const app = project.path === here ? undefined : await open(project.path);
      if (app && isFailure(app)) return { ok: false, refusal: refusal('unavailable', `${project.name}: ${app.message}`, app.remedy) };
      return inProject(await (app ? app.door : own).call(request, rest, caller), project.name);
    },
  };
}

/** Each task with the project that it is of. */
function inProject<N extends RequestName>(called: Called<N>, project: string): Called<N> {
  if (!called.ok) return called;
  const output = called.output as { readonly tasks: readonly object[] };
  return { ok: true, output: { ...output, tasks: output.tasks.map((task) => ({ ...task, project })) } as never };
}
