/**
 * `reconcile`, `history` and `clean` as text. Pure; nothing is judged here.
 */
import type { KeptFact } from '../../runs/evidence.ts';
import type { Finding } from '../../runs/reconcile.ts';
import type { Restored } from './app.ts';
import { type Cell, type Look, paint, table, wrap } from './layout.ts';
import type { CleanedPath, Reconciled, VersionFact } from './upkeep.ts';
import { count, dateAndTime } from './words.ts';

export function renderReconciled({ findings, fixed }: Reconciled, listName: string, look: Look): string {
  const found = findings.filter((finding) => finding.severity === 'finding');
  const notes = findings.filter((finding) => finding.severity === 'note');
  const lines = [
    ...fixed.flatMap((finding) => [paint(look, 'good', `put right: ${placeOf(finding, listName)}${finding.message}`)]),
    ...found.flatMap((finding) => findingLines(finding, listName, look)),
    ...(notes.length > 0 ? [paint(look, 'faint', 'to know:'), ...notes.flatMap((note) => wrap(`${placeOf(note, listName)}${note.message}`, look, '  '))] : []),
  ];
  const verdict =
    found.length > 0 ? paint(look, 'bad', `${count(found.length, 'thing')} to look at.`) : paint(look, 'good', 'List, git and journal say the same.');
  return `${[...lines, verdict].join('\n')}\n`;
}

function findingLines(finding: Finding, listName: string, look: Look): string[] {
  return [
    ...wrap(`${placeOf(finding, listName)}${finding.title}`, look),
    ...wrap(`${finding.message} (${finding.rule})`, look, '  '),
    ...wrap(`do: ${finding.remedy}`, look, '  '),
  ];
}

const placeOf = ({ line, id, section }: Finding, listName: string): string =>
  `${line === null ? section : `${listName}:${line}`}${id === null ? '' : ` ${id}`}: `;

const KINDS: Readonly<Record<VersionFact['kind'], string>> = {
  before: 'a write of ToDone',
  saved: 'a save of yours in between, merged',
  kept: 'a save of yours in between, NOT merged whole',
  left: 'an interrupted write',
  replaced: 'a save of yours that lacks lines of it, or its end',
};

export function renderVersions(versions: readonly VersionFact[], look: Look): string {
  if (versions.length === 0) return 'No version of the list has been displaced yet.\n';
  const rows = versions.map((version): readonly Cell[] => [
    { text: dateAndTime(version.at), tone: 'faint' },
    { text: KINDS[version.kind], tone: version.kind === 'kept' ? 'warn' : 'plain' },
    { text: `${Math.ceil(version.bytes / 1024)} KiB` },
    { text: `+${version.added} -${version.removed}` },
    { text: version.name, tone: 'name' },
  ]);
  const columns = [
    { header: 'when' },
    { header: 'displaced by' },
    { header: 'size', align: 'right' as const },
    { header: 'the next one' },
    { header: 'version' },
  ];
  return `${table(columns, rows, look).join('\n')}\n`;
}

export function renderRestored({ ref, path, files, done }: Restored): string {
  const some = files.slice(0, FILES_SHOWN).map((file) => `  ${file}\n`);
  const rest = files.length > FILES_SHOWN ? [`  and ${files.length - FILES_SHOWN} more\n`] : [];
  return [
    done ? `the work kept in ${ref} is in ${path}\n` : `the work kept in ${ref} would be put into ${path}; it changed:\n`,
    ...(done ? [] : [...some, ...rest]),
  ].join('');
}

const FILES_SHOWN = 50;

export function renderKept(snapshots: readonly KeptFact[], look: Look): string {
  const rows = snapshots.map((snapshot): readonly Cell[] => [
    { text: dateAndTime(snapshot.at), tone: 'faint' },
    { text: `attempt ${snapshot.attempt}` },
    { text: snapshot.label },
    { text: snapshot.ref, tone: 'name' },
  ]);
  return `${table([{}, {}, {}, {}], rows, look).join('\n')}\n`;
}

export function renderCleaned(paths: readonly CleanedPath[], look: Look): string {
  if (paths.length === 0) return 'No worktree of a section that is over.\n';
  return `${paths.flatMap((path) => cleanedLines(path, look)).join('\n')}\n`;
}

const OUTCOMES = { removed: ['removed', 'good'], would: ['would be removed', 'plain'], kept: ['kept', 'warn'] } as const;

function cleanedLines({ path, outcome, why, snapshot, ignored }: CleanedPath, look: Look): string[] {
  const [word, tone] = OUTCOMES[outcome];
  return [
    `${paint(look, tone, word)}  ${path}`,
    ...(why === null ? [] : wrap(why, look, '  ')),
    ...(snapshot === null ? [] : wrap(`what was in it: ${snapshot}`, look, '  ')),
    ...(ignored.length === 0 ? [] : wrap(`with what git ignores: ${ignored.join(', ')}`, look, '  ')),
  ];
}
