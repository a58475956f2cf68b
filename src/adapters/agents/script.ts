/** The embedded agent (5.3-R1): a shell, and what the task says is to run. */
import { runnableOf } from '../../runs/runnable.ts';
import { findProgram } from '../find-program.ts';
import type { AgentRow, Reader } from './row.ts';

/** Every line is text. */
export const plainReader = (): Reader => (line) => [{ kind: 'text', text: line }];

export const SCRIPT: AgentRow = {
  name: 'script',
  takes: 'runnable',
  steps: ['implement'],
  learns: false,
  problem: ({ env }) => (findProgram('sh', env) ? undefined : 'there is no sh on the PATH: put /bin on it'),
  invoke({ order }) {
    const commands = runnableOf(order.task);
    return commands === undefined ? undefined : { program: 'sh', args: ['-c', commands], env: {}, passed: [], called: commands };
  },
  preview: () => "sh -c '<run: of the task, or its first sh block>'",
  reader: plainReader,
};
