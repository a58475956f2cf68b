/**
 * What `npm start` and `npm test` do first: packages as the lockfile says, and a Node that can run ToDone. Plain
 * JavaScript without packages, so that it runs on a fresh clone under any Node from 20 on; takes a blink when there is
 * nothing to do. Writes to stderr only, and never touches anything outside the repository.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const MODULES = join(ROOT, 'node_modules');
const STAMP = join(MODULES, '.todone-setup');
const LOCK = join(ROOT, '.setup-lock');
const NODE = join(MODULES, '.bin', 'node');

const NEEDED_NODE = 24;
const LOCK_WAIT_MS = 15 * 60_000;
const LOCK_LOOK_MS = 100;
/** A lock without an owner's name this old was left between two system calls. */
const LOCK_NAMELESS_MS = 10_000;
const INSTALL_MS = 15 * 60_000;
const SHOWN_LINES = 15;

/** What npm says, and what a person can do about it. */
const CAUSES = [
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH|network/i,
    'The npm registry cannot be reached. Check the network, a proxy (`npm config get proxy`) and `npm config get registry`, then run the same command again.',
  ],
  [
    /EUSAGE|in sync|Missing: .* from lock file/i,
    'package-lock.json does not fit package.json. Get both back with `git checkout package.json package-lock.json`.',
  ],
  [/ENOSPC/, 'The disk is full. Make room and run the same command again.'],
  [/EACCES|EPERM|EROFS/, 'A file cannot be written. See whose the repository and ~/.npm are (`ls -ld . ~/.npm`).'],
  [/E401|E403|ENEEDAUTH/, 'The npm registry refuses access. See `npm config get registry` and your ~/.npmrc.'],
  [
    /EINTEGRITY/,
    'A downloaded package is not the one that package-lock.json names. Run `npm cache verify` and try again; if it stays so, do not go on: see whether the registry is the right one.',
  ],
];

class SetupFailed extends Error {}

try {
  if (!isReady()) withLock(setUp);
} catch (error) {
  if (!(error instanceof SetupFailed)) throw error;
  say(`todone cannot be set up: ${error.message}`);
  process.exitCode = 1;
}

function setUp() {
  // Whoever held the lock before us has done it, as a rule: looked at once more.
  if (!isInstalled()) install();
  if (!isReady()) ensureNode();
}

/** Under npm the same `node` runs this file and ToDone, so this process's version answers for it. */
function isReady() {
  return isInstalled() && (major(process.version) >= NEEDED_NODE || (existsSync(NODE) && major(versionOf(NODE)) >= NEEDED_NODE));
}

// ── packages ─────────────────────────────────────────────────────────────────────────────────────

function isInstalled() {
  const lockfile = read(join(ROOT, 'package-lock.json'));
  if (lockfile === undefined) throw new SetupFailed('package-lock.json is missing. Get it back with `git checkout package-lock.json`.');
  const wanted = createHash('sha256').update(lockfile).update(`${process.platform} ${process.arch}`).digest('hex');
  if (read(STAMP) === wanted) return true;
  if (!matches(lockfile, read(join(MODULES, '.package-lock.json')))) return false;
  if (isOurs()) writeFileSync(STAMP, wanted);
  return true;
}

/** Somebody ran `npm ci` or `npm install`: what npm wrote down must be what the lockfile wants. */
function matches(lockfile, installed) {
  if (installed === undefined) return false;
  try {
    const wanted = JSON.parse(lockfile).packages;
    const have = JSON.parse(installed).packages;
    const lacks = ([path, entry]) => path !== '' && !entry.optional && !entry.devOptional && !entry.peer && have[path]?.version !== entry.version;
    const differs = ([path, entry]) => wanted[path]?.version !== entry.version;
    return !Object.entries(wanted).some(lacks) && !Object.entries(have).some(differs);
  } catch {
    return false;
  }
}

/** A `node_modules` that is a link belongs to somebody else. */
function isOurs() {
  try {
    return !lstatSync(MODULES).isSymbolicLink();
  } catch {
    return true;
  }
}

function install() {
  if (!isOurs())
    throw new SetupFailed(
      `node_modules is a link to ${realpathSync(MODULES)}, whose packages are not those of package-lock.json. Run \`npm ci\` there, or remove the link.`,
    );
  say('Setting up: installing packages as package-lock.json says…');
  const done = npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'], ROOT);
  if (done.status !== 0) throw new SetupFailed(explained(done, 'npm ci'));
  if (!isInstalled())
    throw new SetupFailed('npm ci said that it is done, but node_modules is not what package-lock.json says. Remove node_modules and try again.');
}

/** The npm that runs us, on the Node that it runs on. */
function npm(args, cwd) {
  const { npm_execpath: own, npm_node_execpath: node } = process.env;
  const isNpm = own !== undefined && /^npm-cli\.c?js$/.test(basename(own)) && existsSync(own);
  const [command, first] = isNpm ? [node && existsSync(node) && !isInside(node, MODULES) ? node : process.execPath, [own]] : ['npm', []];
  return spawnSync(command, [...first, ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: INSTALL_MS,
    maxBuffer: 64 * 1024 * 1024,
    env: withoutModules(),
  });
}

/** npm's own PATH begins with `node_modules/.bin`, which goes away while packages are installed. */
function withoutModules() {
  const path = (process.env.PATH ?? '').split(':').filter((folder) => !isInside(folder, MODULES));
  return { ...process.env, PATH: path.join(':') };
}

function isInside(path, folder) {
  const real = existsSync(path) ? realpathSync(path) : path;
  const top = existsSync(folder) ? realpathSync(folder) : folder;
  return real === top || real.startsWith(top + sep) || path.startsWith(folder + sep);
}

function explained(done, what) {
  if (done.error?.code === 'ENOENT') return 'npm was not found. Install Node.js 24 or newer, which brings npm.';
  const output = `${done.stdout ?? ''}${done.stderr ?? ''}`;
  const cause = CAUSES.find(([sign]) => sign.test(output))?.[1] ?? 'Run the same command again; if it stays so, run `npm ci` by itself and see what it says.';
  const why = done.error?.code === 'ETIMEDOUT' ? `took longer than ${INSTALL_MS / 60_000} minutes` : `ended with ${done.status ?? done.signal}`;
  const last = output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-SHOWN_LINES);
  return [`\`${what}\` ${why}. ${cause}`, ...last.map((line) => `  ${line}`)].join('\n');
}

// ── Node ─────────────────────────────────────────────────────────────────────────────────────────

/**
 * The package `node` gets its program by an install script, which newer versions of npm do not run unasked: run it
 * here, and link it where scripts find it.
 */
function ensureNode() {
  const folder = join(MODULES, 'node');
  const script = 'installArchSpecificPackage.js';
  let done;
  if (isOurs() && existsSync(join(folder, script)) && !runs(join(folder, 'bin', 'node'))) {
    say(`Setting up: installing Node ${NEEDED_NODE} or newer for this repository…`);
    done = spawnSync(process.execPath, [script], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: INSTALL_MS,
      env: withoutModules(),
    });
  }
  if (isOurs() && runs(join(folder, 'bin', 'node')) && !runs(NODE)) {
    mkdirSync(dirname(NODE), { recursive: true });
    rmSync(NODE, { force: true });
    symlinkSync(join('..', 'node', 'bin', 'node'), NODE);
  }
  if (runs(NODE)) return;
  const why = done && done.status !== 0 ? `\n${explained(done, 'the install script of the package node')}` : '';
  throw new SetupFailed(
    `ToDone needs Node ${NEEDED_NODE} or newer, this is ${process.version}, and the one in node_modules does not run here (${process.platform} ${process.arch}). Install Node ${NEEDED_NODE} or newer and try again.${why}`,
  );
}

function runs(program) {
  return existsSync(program) && major(versionOf(program)) >= NEEDED_NODE;
}

function versionOf(program) {
  return spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout ?? '';
}

function major(version) {
  return Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
}

// ── one at a time ────────────────────────────────────────────────────────────────────────────────

/**
 * A folder is the lock, the name of the file in it says whose it is. A dead owner's file can be removed by one process
 * only, and that one is the next owner; so nobody ever takes a lock from a living one.
 */
function withLock(work) {
  const name = `pid-${process.pid}`;
  const started = Date.now();
  let told = false;
  while (!take(name)) {
    if (Date.now() - started > LOCK_WAIT_MS) throw new SetupFailed(`another set-up seems to hang. If none is running, remove ${LOCK} and try again.`);
    if (!told) say('Waiting for another set-up of this repository to end…');
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_LOOK_MS);
  }
  try {
    work();
  } finally {
    release();
  }
}

function take(name) {
  const mine = join(LOCK, name);
  try {
    mkdirSync(LOCK);
    writeFileSync(mine, '');
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST' && error.code !== 'ENOENT')
      throw new SetupFailed(`${LOCK} cannot be made (${error.code}). See whose the repository is (\`ls -ld .\`).`);
  }
  const owner = attempt(() => readdirSync(LOCK))?.[0];
  if (owner === undefined) {
    const age = attempt(() => Date.now() - statSync(LOCK).mtimeMs) ?? 0;
    if (age > LOCK_NAMELESS_MS) attempt(() => rmdirSync(LOCK));
    return false;
  }
  if (isAlive(Number(owner.slice('pid-'.length)))) return false;
  // Only one process can rename it, and it keeps the lock by that.
  return attempt(() => renameSync(join(LOCK, owner), mine) ?? true) === true;
}

function release() {
  for (const file of attempt(() => readdirSync(LOCK)) ?? []) attempt(() => unlinkSync(join(LOCK, file)));
  attempt(() => rmdirSync(LOCK));
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function attempt(act) {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function read(file) {
  return attempt(() => readFileSync(file, 'utf8'));
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
