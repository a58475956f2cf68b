/**
 * Bundles ToDone to `dist/`: `todone.js` loads only what its command needs (code-split), from a compile cache. koffi stays
 * a package, for it brings a native library; prompts and package.json are found beside `dist/` as beside `src/`.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const top = join(import.meta.dirname, '..');
const dist = join(top, 'dist');

/** CommonJS packages in the bundle ask for `require`. */
const BANNER = `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`;

/** The compile cache has to be on before the first module of ours is loaded. */
const LAUNCHER = `#!/usr/bin/env node
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(\`ToDone needs Node 24 or newer, this is \${process.version}. Install it from https://nodejs.org or with your version manager.\\n\`);
  process.exit(2);
}
// In a folder of the user's own: the default one is in the temp folder, where others may write.
module.enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'todone', 'compiled'));
// Node 24 calls its SQLite experimental, on stderr, each time.
const warn = process.emitWarning;
process.emitWarning = (warning, ...rest) => {
  if (!String(warning).startsWith('SQLite is an experimental feature')) warn.call(process, warning, ...rest);
};
await import('./main.js');
`;

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
const result = await build({
  entryPoints: { main: join(top, 'src/main.ts') },
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: false,
  legalComments: 'none',
  chunkNames: 'chunks/[name]-[hash]',
  banner: { js: BANNER },
  external: ['koffi'],
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(join(dist, 'todone.js'), LAUNCHER);
chmodSync(join(dist, 'todone.js'), 0o755);

const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(`dist/todone.js: ${Object.keys(result.metafile.outputs).length} files, ${Math.round(bytes / 1024)} KB\n`);
