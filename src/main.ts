#!/usr/bin/env node
/**
 * The door: arguments → place → command → exit code. The only composition root and the only catch-all. A bug ends here, and nowhere
 * else, with its own exit code.
 */
import module from 'node:module';
import { quickAnswer, quickQuestion } from './composition/quick.ts';

const argv = process.argv.slice(2);
const known = quickAnswer(argv, Date.now()) ?? (await askedOfOwner());
if (known !== undefined) process.stdout.write(known);
else {
  module.enableCompileCache?.();
  const { main } = await import('./composition/main.ts');
  process.exitCode = await main(argv);
}

async function askedOfOwner(): Promise<string | undefined> {
  const question = quickQuestion(argv);
  return question && (await import('./composition/quick-ask.ts')).askOwner(question);
}
