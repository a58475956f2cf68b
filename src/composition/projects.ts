/**
 * The projects of the user's own config (6.5-R2), for whoever only asks for them: which there are, and which one a name means.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { type ConfigPlaces, describeConfigProblem, loadConfig, userFolder } from '../adapters/config-file.ts';
import { type ProjectPath, projectPaths } from '../adapters/project-paths.ts';
import type { Config, WrittenConfig } from '../config.ts';
import type { CliFailure } from '../surfaces/cli/failure.ts';

type Env = NodeJS.ProcessEnv;

/** The user's own config, by itself. */
export const userPlaces = (cwd: string, env: Env, overrides?: WrittenConfig): ConfigPlaces => ({ repo: undefined, cwd, env, ...(overrides && { overrides }) });

export const homeOf = (env: Env): string => env['HOME'] ?? homedir();

export const findProjects = (config: Config, env: Env): Promise<ProjectPath[]> => projectPaths(config.projects, { home: homeOf(env), tasks: config.tasks });

/** Every project that is listed now; or what is wrong with the list. */
export async function listedProjects(cwd: string, env: Env): Promise<readonly ProjectPath[] | CliFailure> {
  const config = projectsConfig(userPlaces(cwd, env));
  return 'kind' in config ? config : findProjects(config, env);
}

/** The user's own config, where it can be used and lists projects. */
export function projectsConfig(places: ConfigPlaces): Config | CliFailure {
  const { config, problems } = loadConfig(places);
  if (!config) return { kind: 'failure', code: 2, message: problems.map(describeConfigProblem).join('\n'), remedy: "correct the user's config" };
  return config.projects.length === 0 ? noProjects(places.env) : config;
}

const noProjects = (env: ConfigPlaces['env']): CliFailure => ({
  kind: 'failure',
  code: 2,
  message: 'no project is listed',
  remedy: `list them in ${join(userFolder(env), 'config.yaml')}: projects: [~/src/shop, ~/work/*]`,
});

/** Undefined where there is something to open. */
export function missingProject(path: string, env: Env): CliFailure | undefined {
  if (existsSync(path)) return undefined;
  const remedy = `bring it back, or take it out of projects in ${join(userFolder(env), 'config.yaml')}`;
  return { kind: 'failure', code: 2, message: `${path} is not there`, remedy };
}

/** The project that a person means: by its name, or by its path. */
export async function findProject(word: string, cwd: string, env: Env): Promise<ProjectPath | CliFailure> {
  const listed = await listedProjects(cwd, env);
  if ('kind' in listed) return listed;
  const path = isAbsolute(word) || word.startsWith('~/') ? resolve(word.replace(/^~(?=\/)/, homeOf(env))) : undefined;
  const fits = listed.filter((project) => project.name === word || project.path === path);
  const [one = listed.find((project) => project.path.endsWith(`/${word}`))] = fits;
  if (one) return one;
  const names = listed.slice(0, NAMES_MAX).map(({ name }) => name);
  return {
    kind: 'failure',
    code: 2,
    message: `no project is called ${word}`,
    remedy: listed.length === 0 ? 'none is there now: see projects in the config' : `use one of: ${names.join(', ')}${listed.length > NAMES_MAX ? ', …' : ''}`,
  };
}

const NAMES_MAX = 20;
