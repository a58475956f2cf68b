/**
 * What an editor is to the campaign: something that has the list open, puts lines below a section's heading, and saves. It may
 * hold a buffer that is older than the file; what it then asks, the driver answers as a person would.
 */

/** `reload` = takes the file's new text and types again; `anyway` = writes its own text over it. */
export type Manner = 'reload' | 'anyway';

export type Editing = {
  /** Settles when the editor says that it has saved. */
  add(section: string, lines: readonly string[]): Promise<void>;
  /** Undoes what the list was refused for, as the refusal says. */
  repair?(): Promise<void>;
  end(): Promise<void>;
};

export type EditorCase = {
  readonly name: string;
  readonly manners: readonly Manner[];
  /** Programs that have to be there, and the Debian packages that they come in. */
  /** It has the text in memory, and may write it over a newer file. */
  readonly buffers?: boolean;
  /** What stands before each task's marker; default: nothing. */
  readonly bullet?: string;
  readonly needs: readonly { readonly program: string; readonly debian: string }[];
  open(scene: { readonly top: string; readonly list: string; readonly random: () => number }, manner: Manner): Promise<Editing>;
};

export const headingOf = (section: string): string => `## Git Worktree ${section}`;

/** The text with lines more below a section's heading. */
export function withLines(text: string, section: string, lines: readonly string[]): string {
  const at = text.split('\n').findIndex((line) => line.startsWith(headingOf(section)));
  if (at < 0) throw new Error(`the list has no ${headingOf(section)}:\n${text}`);
  return text
    .split('\n')
    .toSpliced(at + 1, 0, ...lines)
    .join('\n');
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
