/**
 * The place that a command works in: the repository, its list, its config and ToDone's own folder; or why there is none
 * (2 = usage or config, 3 = refused). Opens nothing that has to be closed.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Config, WrittenConfig } from '../config.ts';
import { describeConfigProblem, loadConfig, type LoadedConfig, type ConfigPlaces } from '../adapters/config-file.ts';
import { openRepo, plainRepo, type Repo } from '../adapters/repo.ts';

export type Place = {
  readonly repo: Repo;
  /** The list's absolute path, and its path from the top of the repository. */
  readonly listPath: string;
  readonly listName: string;
  readonly stateDir: string;
  readonly config: Config;
  readonly loaded: LoadedConfig;
  readonly configPlaces: ConfigPlaces;
};

export type Failure = { readonly kind: 'failure'; readonly code: 2 | 3; readonly message: string; readonly remedy: string; readonly where?: string };

export type PlaceOptions = {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly repo?: string;
  readonly tasks?: string;
  readonly config?: string;
  readonly overrides?: WrittenConfig;
  /** Nothing is done there: a look at the files will do where git need not be asked. */
  readonly reading?: boolean;
};

export async function openPlace(options: PlaceOptions): Promise<Place | Failure> {
  const from = resolve(options.cwd, options.repo ?? '.');
  const repo = (options.reading ? plainRepo(from) : undefined) ?? (await openRepo(from));
  if ('problem' in repo) return failure(2, repo.message, repo.remedy);
  const overrides = { ...options.overrides, ...(options.tasks === undefined ? {} : { tasks: listFrom(options, repo) }) };
  const configPlaces: ConfigPlaces = { repo: repo.top, named: options.config, cwd: options.cwd, env: options.env, overrides };
  const loaded = loadConfig(configPlaces);
  if (!loaded.config) return failure(2, loaded.problems.map(describeConfigProblem).join('\n'), 'correct the config; todone doctor shows what is in force');
  const listPath = resolve(repo.top, loaded.config.tasks);
  const listName = relative(repo.top, listPath);
  if (listName.startsWith('..') || isAbsolute(listName))
    return failure(2, `the list ${listPath} lies outside the repository`, 'keep it inside, or link to it from there');
  const stateDir = join(repo.commonDir, 'todone');
  return { repo, listPath, listName, stateDir, config: loaded.config, loaded, configPlaces };
}

export const failure = (code: 2 | 3, message: string, remedy: string, where?: string): Failure => ({ kind: 'failure', code, message, remedy, where });

/** ToDone's own folder, only for its user. */
export function makeStateDir(place: Pick<Place, 'stateDir'>): void {
  mkdirSync(place.stateDir, { recursive: true, mode: 0o700 });
}

/** The repository was deleted or moved away while somebody worked on it. */
export class RepositoryGone extends Error {
  override name = 'RepositoryGone';
  readonly remedy = 'start it again where the repository is now; what had landed is on its branches';
}

/** Throws `RepositoryGone`. A folder alone is no repository: a last line of a log may have made it again. */
export function mustBeThere({ repo }: Pick<Place, 'repo'>): void {
  const missing = [repo.top, join(repo.commonDir, 'HEAD')].find((path) => !existsSync(path));
  if (missing !== undefined)
    throw new RepositoryGone(`the repository ${repo.top} was deleted or moved away (${missing} is not there): nothing is left to work on`);
}

/** Where archived tasks are: `tasks.archive.md` beside `tasks.md`. */
export const archivePathOf = (place: Pick<Place, 'listPath'>): string => place.listPath.replace(/(\.[^./]+)?$/, '.archive$1');

/** What keeps the list from being used at all, seen before anything is begun. */
export function listFailure(place: Place): Failure | undefined {
  if (existsSync(place.listPath)) return undefined;
  const isKept = existsSync(join(place.stateDir, 'versions'));
  const remedy = isKept
    ? 'todone history shows its old versions, to bring one back; todone init makes a new one'
    : 'todone init makes one; --tasks names another';
  return failure(2, `there is no list at ${place.listName}`, remedy, place.listPath);
}

/** The version in package.json, wherever this is started from. */
export function versionOf(): string {
  const file = ['../../package.json', '../package.json'].map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url));
  const written: unknown = file ? JSON.parse(readFileSync(file, 'utf8')) : {};
  return typeof written === 'object' && written !== null && 'version' in written ? String(written.version) : '0';
}

const listFrom = (options: PlaceOptions, repo: Repo): string => relative(repo.top, resolve(options.cwd, options.repo ?? '.', options.tasks ?? 'tasks.md'));
