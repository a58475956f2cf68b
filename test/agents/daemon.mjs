// A daemon in small: starts the program of its first argument through the door with the mark of its second, says so, and waits to be killed.
import { launch } from '../../src/adapters/process.ts';

const [, , program, mark] = process.argv;
const never = new AbortController().signal;
void launch({
  program,
  args: [],
  cwd: import.meta.dirname,
  env: { PATH: process.env.PATH },
  mark,
  limitMs: 0,
  graceMs: 1000,
  signal: never,
  onLine: (line) => console.log(line),
});
setInterval(() => {}, 1000);
