import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

let top = '';
let repo = '';
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'todone-setup-'));
  repo = join(top, 'repo');
  mkdirSync(join(repo, 'src'), { recursive: true });
  copyFileSync(join(import.meta.dirname, '../src/setup.mjs'), join(repo, 'src/setup.mjs'));
  writeFileSync(join(repo, 'package.json'), '{"name":"x","type":"module"}');
  lock('1.0.0');
  writeFileSync(join(top, 'npm-cli.cjs'), NPM);
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function lock(version: string): void {
  const packages = {
    '': { name: 'x' },
    'node_modules/a': { version },
    'node_modules/node': { version: '26.0.0' },
    'node_modules/other-system': { version: '1.0.0', optional: true },
  };
  writeFileSync(join(repo, 'package-lock.json'), JSON.stringify({ name: 'x', lockfileVersion: 3, packages }));
}

/** Writes its arguments down, and does what `npm ci` does: all of it away, all of it anew. */
const NPM = `
const fs = require('node:fs');
fs.appendFileSync(__dirname + '/calls', process.argv.slice(2).join(' ') + '\\n');
if (process.env.NPM_SAYS) { console.error(process.env.NPM_SAYS); process.exit(1); }
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.env.NPM_MS ?? 0));
fs.rmSync('node_modules', { recursive: true, force: true });
fs.mkdirSync('node_modules/node', { recursive: true });
const { packages } = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
delete packages['']; delete packages['node_modules/other-system'];
fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }));
if (process.env.NODE_SCRIPT) fs.writeFileSync('node_modules/node/installArchSpecificPackage.js', process.env.NODE_SCRIPT);
`;

/** The package node's own install script, for a program that says a version. */
const NODE_SCRIPT = `
const fs = require('node:fs');
fs.mkdirSync('bin');
fs.writeFileSync('bin/node', '#!/bin/sh\\necho v26.0.0\\n', { mode: 0o755 });
console.log('npm talk that nobody needs');
`;

/** Makes a Node say that it is an old one. */
const OLD = ['--import', `data:text/javascript,Object.defineProperty(process,'version',{value:'v20.0.0'})`];

type Done = { readonly code: number; readonly stdout: string; readonly stderr: string };

function setUp(env: Record<string, string> = {}, nodeArguments: readonly string[] = []): Promise<Done> {
  const all = { PATH: process.env['PATH'], npm_execpath: join(top, 'npm-cli.js'), ...env };
  // The test's own npm is CommonJS, whatever package.json is near.
  if (!existsSync(join(top, 'npm-cli.js'))) symlinkSync(join(top, 'npm-cli.cjs'), join(top, 'npm-cli.js'));
  return new Promise((resolve) => {
    execFile(process.execPath, [...nodeArguments, join(repo, 'src/setup.mjs')], { cwd: top, env: all }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

const calls = (): string[] => (existsSync(join(top, 'calls')) ? readFileSync(join(top, 'calls'), 'utf8').trim().split('\n') : []);
const QUIET: Done = { code: 0, stdout: '', stderr: '' };

it('7-R1 sets a fresh clone up once, then has nothing to do and nothing to say', async () => {
  const first = await setUp();
  expect(first).toEqual({ code: 0, stdout: '', stderr: expect.stringMatching(/^Setting up: installing packages.*\n$/) });
  expect(calls()).toEqual([expect.stringMatching(/^ci --include=dev /)]);
  const before = readdirSync(repo);
  const stamp = statSync(join(repo, 'node_modules/.todone-setup')).mtimeMs;
  expect(await setUp()).toEqual(QUIET);
  expect(calls()).toHaveLength(1);
  expect(statSync(join(repo, 'node_modules/.todone-setup')).mtimeMs).toBe(stamp);
  expect(readdirSync(repo)).toEqual(before);
  expect(before.sort()).toEqual(['node_modules', 'package-lock.json', 'package.json', 'src']);
});

it('7-R1 installs again when the lockfile is another one', async () => {
  await setUp();
  lock('2.0.0');
  await setUp();
  expect(calls()).toHaveLength(2);
  expect(await setUp()).toEqual(QUIET);
});

it('7-R1 leaves packages alone that npm itself has just installed', async () => {
  await setUp();
  rmSync(join(repo, 'node_modules/.todone-setup'));
  expect(await setUp()).toEqual(QUIET);
  expect(calls()).toHaveLength(1);
  writeFileSync(join(repo, 'node_modules/.todone-setup'), 'old');
  writeFileSync(join(repo, 'node_modules/.package-lock.json'), '{"packages":{"node_modules/a":{"version":"1.0.0"}}}');
  await setUp();
  expect(calls()).toHaveLength(2);
});

it('7-R1 sets up once when several start at once', async () => {
  const all = await Promise.all([1, 2, 3, 4, 5].map(() => setUp({ NPM_MS: '500' })));
  expect(all.map((done) => done.code)).toEqual([0, 0, 0, 0, 0]);
  expect(calls()).toHaveLength(1);
  expect(existsSync(join(repo, '.setup-lock'))).toBe(false);
});

it.each([
  ['of a dead process', (folder: string) => writeFileSync(join(folder, 'pid-99999999'), '')],
  ['that nobody put a name on', (folder: string) => utimesSync(folder, 1, 1)],
])('12-R1 takes over the lock %s', async (_, leave) => {
  mkdirSync(join(repo, '.setup-lock'));
  leave(join(repo, '.setup-lock'));
  const all = await Promise.all([1, 2, 3].map(() => setUp({ NPM_MS: '300' })));
  expect(all.map((done) => done.code)).toEqual([0, 0, 0]);
  expect(calls()).toHaveLength(1);
  expect(existsSync(join(repo, '.setup-lock'))).toBe(false);
});

it.each([
  ['npm error code ENOTFOUND\nnpm error request to https://registry.example/a failed', /registry cannot be reached.*proxy/],
  [
    'npm error code EUSAGE\nnpm error `npm ci` can only install packages when your package.json and package-lock.json are in sync',
    /does not fit package\.json/,
  ],
  ['npm error ENOSPC: no space left on device', /disk is full/],
  ['npm error code EACCES', /cannot be written/],
  ['npm error code EINTEGRITY', /not the one that package-lock\.json names/],
  ['something else', /run `npm ci` by itself/],
])('7-R2 says what to do when npm says: %s', async (words, expected) => {
  const done = await setUp({ NPM_SAYS: words });
  expect(done).toMatchObject({ code: 1, stdout: '' });
  expect(done.stderr).toMatch(/todone cannot be set up: `npm ci` ended with 1\./);
  expect(done.stderr).toMatch(expected);
  expect(done.stderr).toContain(`  ${words.split('\n')[0]}`);
  expect(done.stderr).not.toMatch(/ at .*setup\.mjs/);
  expect(existsSync(join(repo, '.setup-lock'))).toBe(false);
});

it('7-R2 says that npm or the lockfile is missing', async () => {
  expect((await setUp({ npm_execpath: '', PATH: top })).stderr).toMatch(/npm was not found/);
  rmSync(join(repo, 'package-lock.json'));
  expect(await setUp()).toMatchObject({ code: 1, stderr: expect.stringMatching(/git checkout package-lock\.json/) });
});

it('7-R1 brings its own Node under an old one, although npm ran no install script', async () => {
  expect(await setUp({ NODE_SCRIPT }, OLD)).toMatchObject({ code: 0, stdout: '' });
  expect(existsSync(join(repo, 'node_modules/.bin/node'))).toBe(true);
  expect(await setUp({ NODE_SCRIPT }, OLD)).toEqual(QUIET);
  rmSync(join(repo, 'node_modules/.bin'), { recursive: true });
  expect(await setUp({ NODE_SCRIPT }, OLD)).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(join(repo, 'node_modules/.bin/node'))).toBe(true);
  expect(calls()).toHaveLength(1);
});

it.each([
  ['there is none for this system', `console.error('npm error 404 node-plan9-x64'); process.exit(1)`, /ended with 1.*[^]*404 node-plan9/],
  ['it does not run here', `const fs = require('node:fs'); fs.mkdirSync('bin'); fs.writeFileSync('bin/node', 'ELF?', { mode: 0o755 })`, /does not run here/],
  [
    'it is an old one',
    `const fs = require('node:fs'); fs.mkdirSync('bin'); fs.writeFileSync('bin/node', '#!/bin/sh\\necho v20.1.0', { mode: 0o755 })`,
    /does not run here/,
  ],
])('7-R2 says which Node is needed where %s', async (_, script, expected) => {
  const done = await setUp({ NODE_SCRIPT: script }, OLD);
  expect(done).toMatchObject({ code: 1, stdout: '' });
  expect(done.stderr).toMatch(/ToDone needs Node 24 or newer, this is v20\.0\.0.*Install Node 24/s);
  expect(done.stderr).toMatch(expected);
  expect(await setUp()).toEqual(QUIET);
});

it('13-R1 touches nothing where node_modules is a link out of the repository', async () => {
  const theirs = join(top, 'theirs');
  mkdirSync(theirs);
  writeFileSync(join(theirs, '.package-lock.json'), '{"packages":{}}');
  symlinkSync(theirs, join(repo, 'node_modules'));
  const done = await setUp();
  expect(done).toMatchObject({ code: 1, stderr: expect.stringMatching(/is a link to .*theirs/) });
  expect(readdirSync(theirs)).toEqual(['.package-lock.json']);
  writeFileSync(join(theirs, '.package-lock.json'), '{"packages":{"node_modules/a":{"version":"1.0.0"},"node_modules/node":{"version":"26.0.0"}}}');
  expect(await setUp()).toEqual(QUIET);
  expect(readdirSync(theirs)).toEqual(['.package-lock.json']);
});
