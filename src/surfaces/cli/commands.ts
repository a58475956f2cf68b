/**
 * The table of commands: all that `todone` understands, in the order in which help shows it. Help, completion, parsing and tests
 * are made from it.
 */
import { BRANCH_COMMANDS } from './commands-branch.ts';
import type { CommandRow } from './command.ts';
import { BACKLOG_COMMANDS } from './commands-backlog.ts';
import { SERVE_COMMANDS } from './commands-serve.ts';
import { LOOK_COMMANDS } from './commands-look.ts';
import { SETUP_COMMANDS } from './commands-setup.ts';
import { STEER_COMMANDS } from './commands-steer.ts';
import { TASK_COMMANDS } from './commands-tasks.ts';
import { TRIAGE_COMMANDS } from './commands-triage.ts';
import { UPKEEP_COMMANDS } from './commands-upkeep.ts';
import { ARCHIVE_COMMANDS } from './commands-upkeep-archive.ts';
import { AUDIT_COMMANDS } from './commands-upkeep-audit.ts';
import { REPORT_COMMANDS } from './commands-upkeep-report.ts';
import { RULES_COMMANDS } from './commands-upkeep-rules.ts';
import { WORK_COMMANDS } from './commands-work.ts';

export const COMMANDS: readonly CommandRow[] = [
  ...WORK_COMMANDS,
  ...LOOK_COMMANDS,
  ...TRIAGE_COMMANDS,
  ...STEER_COMMANDS,
  ...BRANCH_COMMANDS,
  ...TASK_COMMANDS,
  ...BACKLOG_COMMANDS,
  ...UPKEEP_COMMANDS,
  ...ARCHIVE_COMMANDS,
  ...AUDIT_COMMANDS,
  ...REPORT_COMMANDS,
  ...RULES_COMMANDS,
  ...SERVE_COMMANDS,
  ...SETUP_COMMANDS,
];
