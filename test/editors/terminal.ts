/**
 * A program in a terminal of its own, driven as a person drives it: keys in, and what stands on the screen out. The screen is
 * emulated, so that it is read as a person reads it, not as the bytes that happened to redraw it.
 */
import { spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';

const COLUMNS = 160;
const ROWS = 50;
const LOOK_MS = 15;

export type Terminal = {
  readonly pid: number;
  type(keys: string): void;
  screen(): string;
  /** Settles with the first screen that fits; rejects with the screen where none does in time. */
  until(wanted: RegExp, ms?: number): Promise<string>;
  exited(): boolean;
  /** Ends it, the hard way if need be. */
  end(): Promise<void>;
};

export function openTerminal(program: string, args: readonly string[], cwd: string): Terminal {
  const emulator = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  const pty = spawn(program, [...args], {
    cols: COLUMNS,
    rows: ROWS,
    cwd,
    name: 'xterm-256color',
    env: { ...(process.env as Record<string, string>), LC_ALL: 'C.UTF-8', TERM: 'xterm-256color', EDITOR: '', VIMINIT: '', EXINIT: '' },
  });
  let gone = false;
  pty.onData((data) => emulator.write(data));
  // Questions of a program to its terminal (where is the cursor?) are answered.
  emulator.onData((data) => pty.write(data));
  const ended = new Promise<void>((resolve) => {
    pty.onExit(() => {
      gone = true;
      resolve();
    });
  });

  const screen = (): string => {
    const { active } = emulator.buffer;
    const lines: string[] = [];
    for (let row = 0; row < ROWS; row++) lines.push(active.getLine(active.baseY + row)?.translateToString(true) ?? '');
    return lines.join('\n').trimEnd();
  };

  return {
    pid: pty.pid,
    type: (keys) => void (gone || pty.write(keys)),
    screen,
    async until(wanted, ms = 20_000) {
      const until = performance.now() + ms;
      for (;;) {
        const now = screen();
        if (wanted.test(now)) return now;
        if (gone || performance.now() > until) throw new Error(`${program} does not show ${wanted.source}${gone ? ' (it has ended)' : ''}:\n${now}`);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
    exited: () => gone,
    async end() {
      if (!gone) pty.kill('SIGHUP');
      const timer = setTimeout(() => gone || pty.kill('SIGKILL'), 2000);
      await ended;
      clearTimeout(timer);
      emulator.dispose();
    },
  };
}
