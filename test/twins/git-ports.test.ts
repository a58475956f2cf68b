import { memoryLanding } from './landing.ts';
import { memoryRepo } from './repo.ts';
import { memoryWorkspaces } from './workspaces.ts';
import { gitPortsContract } from '../contracts/git-ports.ts';

gitPortsContract('in memory', async () => {
  const repo = memoryRepo({ 'README.md': '# Demo\n', 'notes.txt': 'one\n' });
  const workspaces = memoryWorkspaces(repo);
  return {
    workspaces,
    landing: memoryLanding(repo),
    put: (workspace, path, text) => void (text === undefined ? workspaces.filesOf(workspace).delete(path) : workspaces.filesOf(workspace).set(path, text)),
    text: (workspace, path) => workspaces.filesOf(workspace).get(path),
    landed: (section) => (repo.branches.get(section) ?? []).slice(repo.base.length),
    lose: (workspace) => workspaces.lose(workspace),
    close: () => undefined,
  };
});
