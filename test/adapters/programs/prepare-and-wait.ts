/** A daemon that begins to prepare a workspace, says so, and waits to be killed. Arguments: the repository, its home. */
import { makeKitAt, never, orderOf } from '../git-kit.ts';

const [top = '', home = ''] = process.argv.slice(2);
const open = await makeKitAt(top, home);
console.log('go');
await open.workspaces.prepare(orderOf('feature'), undefined, never);
setTimeout(() => undefined, 5_000);
