/** What the tests of the doors for programs share: their list, and a daemon to run beside them. */
import { sleep, start, todone } from './kit.ts';

export const LIST = `# Checkout

## Git Worktree auth {claude}
[] Add login form {id:login}
[] Add logout {id:logout} {after:login}
[] Filed by a machine {id:filed} {triage} {by:bot}
`;

/** No client of an agent surrounds these processes, whoever runs the tests. */
export const QUIET_ENV: Readonly<Record<string, string>> = {
  CLAUDECODE: '',
  GEMINI_CLI: '',
  CODEX_SANDBOX: '',
  OPENCODE: '',
  CURSOR_AGENT: '',
  TODONE_INSTANCE: '',
};

/** The list's agent is not installed: the daemon only minds the list. */
export async function withDaemon(top: string, work: () => Promise<void>): Promise<void> {
  const daemon = start(top, ['start']);
  try {
    for (let tries = 0; tries < 600; tries++) {
      if ((JSON.parse((await todone(top, 'status', '--json')).out) as { owner: unknown }).owner !== null) break;
      await sleep(50);
    }
    await work();
  } finally {
    daemon.kill('SIGTERM');
    await daemon.ended;
  }
}
