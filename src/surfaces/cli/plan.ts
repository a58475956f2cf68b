/**
 * The dry run (3-R7): what would be claimed, where and by whom, the rest with their reasons, and the waves that follow. Everything
 * comes from the choice that the daemon makes too.
 */
import { choose, type Scene, type WhyCode } from '../../runs/choose.ts';
import { taskView, taskViews, type TaskView, waves } from '../../runs/view.ts';
import { type Look, paint, wrap } from './layout.ts';
import { nameOf, placeOfSection, type ProblemLine, problemLines, type RunLine, runLines, taskLine, type TaskLine } from './status.ts';
import { count, tagWords } from './words.ts';
import { problemText, runWords } from './render-status.ts';

export type PlannedTask = TaskLine & { readonly tags: readonly string[]; readonly agent: string; readonly model: string | null; readonly command: string };
export type PlannedSection = { readonly section: string; readonly tree: string; readonly branch: string; readonly tasks: readonly PlannedTask[] };
export type Wave = readonly { readonly section: string; readonly title: string }[];

export type Plan = {
  readonly list: string;
  readonly starts: readonly PlannedSection[];
  readonly running: readonly RunLine[];
  readonly waits: readonly TaskLine[];
  /** After what starts now, as far as it is looked ahead. */
  readonly waves: readonly Wave[];
  /** What holds nothing back, and may be worth a word more on the list (1.3-R1). */
  readonly warnings: readonly ProblemLine[];
};

/** Neither waits nor starts: it is over. */
const OVER: ReadonlySet<WhyCode> = new Set<WhyCode>(['done', 'cancelled', 'running']);

export function planOf(scene: Scene, facts: { readonly list: string; readonly preview: (agent: string, model: string | undefined) => string }): Plan {
  const chosen = choose(scene).start.toSorted((a, b) => a.located.sectionIndex - b.located.sectionIndex || a.located.taskIndex - b.located.taskIndex);
  const starting = new Set(chosen.map((choice) => choice.task));
  const planned = chosen.map(({ located, agent, model }) => {
    const view = taskView(scene, located, undefined);
    return { ...taskLine(view), tags: view.tags, agent, model: model ?? null, command: facts.preview(agent, model) };
  });
  return {
    list: facts.list,
    starts: [...Map.groupBy(planned, (task) => task.section)].map(([section, tasks]) => ({ section, ...placeOfSection(scene.config, section), tasks })),
    running: runLines(scene, new Map()),
    waits: taskViews(scene).filter(waitsFor).map(taskLine),
    // The first is what starts now; one more than is shown says whether there are more.
    waves: waves(scene, WAVES_SHOWN + 2)
      .map((wave) => wave.filter((task) => !starting.has(task)).map(({ section, title }) => ({ section, title })))
      .filter((wave) => wave.length > 0),
    warnings: problemLines(scene).filter(({ severity }) => severity === 'warning'),
  };
}

const waitsFor = (view: TaskView): boolean => view.reason !== null && !OVER.has(view.reason.code);

/** Each costs a whole choice: looking further ahead is for the daemon to find out. */
const WAVES_SHOWN = 5;
const TASKS_PER_WAVE_SHOWN = 4;

export function renderPlan(plan: Plan, look: Look): string {
  const total = plan.starts.reduce((sum, section) => sum + section.tasks.length, 0);
  const head = total === 0 ? 'Nothing would start now.' : `${count(total, 'task')} would start now:`;
  return `${[
    paint(look, 'strong', head),
    ...plan.starts.flatMap((section) => ['', ...startLines(section, look)]),
    ...(plan.running.length > 0 ? ['', paint(look, 'strong', `${count(plan.running.length, 'task')} being worked on:`)] : []),
    ...plan.running.flatMap((run) => wrap(`${run.title}: ${runWords(run, look)}`, look, `  ${run.id}  `, '    ')),
    ...(plan.waits.length > 0 ? ['', paint(look, 'strong', `${count(plan.waits.length, 'task')} would not:`)] : []),
    ...plan.waits.flatMap((line) => waitLines(plan.list, line, look)),
    ...waveLines(plan.waves, look),
    ...problemText(plan.list, plan.warnings, look, 'warning'),
    '',
    paint(look, 'faint', 'Dry run: nothing was changed.'),
  ].join('\n')}\n`;
}

function startLines(section: PlannedSection, look: Look): string[] {
  return [
    `${paint(look, 'strong', section.section)}  in ${section.tree} on branch ${section.branch}`,
    ...section.tasks.flatMap((task) => [
      ...wrap([task.title, ...task.tags.map(tagWords)].join(' '), look, `  ${nameOf(task)}  `, '    '),
      ...wrap(`${task.model === null ? task.agent : `${task.agent}/${task.model}`}: ${task.command}`, look, '    ', '      ').map((line) =>
        paint(look, 'faint', line),
      ),
    ]),
  ];
}

function waitLines(list: string, line: TaskLine, look: Look): string[] {
  const { reason } = line;
  return [
    ...wrap(`${line.title} (${list}:${line.line})`, look, `  ${nameOf(line)}  `, '    '),
    ...(reason
      ? [
          ...wrap(`${reason.message} (${reason.rule})`, look, '    ', '      '),
          ...wrap(`to free it: ${reason.remedy}`, look, '    ', '      ').map((text) => paint(look, 'faint', text)),
        ]
      : []),
  ];
}

function waveLines(all: readonly Wave[], look: Look): string[] {
  if (all.length === 0) return [];
  const shown = all.slice(0, WAVES_SHOWN);
  return [
    '',
    paint(look, 'strong', 'If all goes well, then:'),
    ...shown.flatMap((wave, at) => wrap(`${at + 1}. ${waveWords(wave)}`, look, '  ', '     ')),
    ...(all.length > shown.length ? ['  … and so on'] : []),
  ];
}

function waveWords(wave: Wave): string {
  const more = wave.length - TASKS_PER_WAVE_SHOWN;
  return (
    wave
      .slice(0, TASKS_PER_WAVE_SHOWN)
      .map((task) => `${task.section}: ${task.title}`)
      .join('; ') + (more > 0 ? `; and ${more} more` : '')
  );
}
