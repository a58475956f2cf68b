import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeKit, textOf } from './git-kit.ts';
import { gitPortsContract } from '../contracts/git-ports.ts';

gitPortsContract('git', async () => {
  const kit = makeKit({ 'README.md': '# Demo\n', 'notes.txt': 'one\n' });
  const { workspaces, landing } = await kit.open();
  return {
    workspaces,
    landing,
    put: (workspace, path, text) => (text === undefined ? rmSync(join(workspace, path)) : kit.write(path, text, workspace)),
    text: (workspace, path) => textOf(join(workspace, path)),
    landed: (section) =>
      kit
        .git(['rev-list', '--reverse', `main..todone/${section}`])
        .split('\n')
        .filter((line) => line !== ''),
    lose: (workspace) => rmSync(workspace, { recursive: true }),
    close: () => kit.close(),
  };
});
