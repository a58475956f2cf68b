/** Makes a workspace for each line that it is given, a section's name: `adder.ts <top> <home>`. Says what came of each. */
import { createInterface } from 'node:readline';
import { makeKitAt, never, orderOf } from '../../adapters/git-kit.ts';

const [top = '', home = ''] = process.argv.slice(2);
const open = await makeKitAt(top, home);
process.stdout.write('ready\n');
for await (const section of createInterface({ input: process.stdin })) {
  const prepared = await open.workspaces.prepare(orderOf(section), undefined, never);
  process.stdout.write(`${prepared.kind} ${'message' in prepared ? prepared.message.replaceAll('\n', ' ') : prepared.start}\n`);
}
process.exit(0);
