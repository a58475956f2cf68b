/**
 * Long task lists on which nothing is left to do, as a backlog looks after years. Every line differs.
 */

/** `tasks` tasks in `sections` sections: done, cancelled, and some that wait for a person. */
export function settledList(tasks: number, sections: number): string {
  const parts = ['# Work {script}\n'];
  const each = Math.ceil(tasks / sections);
  for (let section = 0, task = 0; section < sections; section++) {
    parts.push(`\n## Git Worktree part-${section}\n`);
    for (let at = 0; at < each && task < tasks; at++, task++) parts.push(lineOf(task));
  }
  return parts.join('');
}

/** As above, with every tenth task free to start. */
export function mixedList(tasks: number, sections: number): string {
  let at = 0;
  return settledList(tasks, sections).replaceAll(/^\[-\](.*)$/gm, (line, title: string) => (at++ % 3 === 0 ? `[]${title}\n  run: npm test` : line));
}

function lineOf(task: number): string {
  if (task % 10 < 6) return `[✅ ${(0x1000000 + task).toString(16)}, ${idOf(task)}] Teach part ${task} to greet its callers {p2}\n`;
  if (task % 10 < 9) return `[-] Teach part ${task} to count its callers\n`;
  return `[] Teach part ${task} to remember its callers {decision}\n  why: nobody has said yet how long\n`;
}

const idOf = (task: number): string => `h${task.toString(36).padStart(7, '0')}`;
