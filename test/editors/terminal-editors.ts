/** vim, neovim, nano and emacs in a terminal: the keys that a person presses, and the answers to what they ask. */
import { type Editing, type EditorCase, headingOf, type Manner, sleep } from './editing.ts';
import { openTerminal, type Terminal } from './terminal.ts';

const TRIES_MAX = 40;
const ESCAPE = '\u001b';
const control = (letter: string): string => String.fromCharCode(letter.charCodeAt(0) - 96);

/** Edits again and again until one of them was saved, as a person does who took the file's new text first. */
async function untilSaved(once: () => Promise<boolean>, screen: () => string): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries++) if (await once()) return;
  throw new Error(`the editor could not save:\n${screen()}`);
}

function vimLike(program: string, options: readonly string[]): EditorCase['open'] {
  return async ({ top, list }, manner): Promise<Editing> => {
    const at = openTerminal(program, [...options, list], top);
    await at.until(/Git Worktree/);
    return {
      add: (section, lines) =>
        untilSaved(async () => {
          at.type(`${ESCAPE}gg/^${headingOf(section)}\\>\ro`);
          await at.until(/-- INSERT --/);
          at.type(`${lines.join('\r')}${ESCAPE}`);
          await at.until(/^(?![^]*-- INSERT --)/);
          return vimSaved(at, manner);
        }, at.screen),
      end: at.end,
    };
  };
}

/** Writes, and answers; false where the file's text was taken instead, so that the edit has to be made again. */
async function vimSaved(at: Terminal, manner: Manner): Promise<boolean> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    at.type(`${ESCAPE}:redraw!\r`);
    await at.until(/^(?![^]*(?:written|E\d{2,}:|y\/n|Press ENTER))/);
    at.type(':w\r');
    let said = await at.until(/written|\(y\/n\)\?|\(L\)oad|E\d{2,}:/);
    const asked = /\(y\/n\)\?/.test(said) && !/E\d{2,}:/.test(said);
    if (asked && manner === 'anyway') {
      at.type('y');
      said = await at.until(/written|E\d{2,}:/);
    }
    if (/written/.test(said)) {
      if (/Press ENTER/.test(at.screen())) at.type('\r');
      return true;
    }
    // The file changed again while it was written, or was away for an instant.
    if (/\(L\)oad/.test(said)) at.type(manner === 'anyway' ? 'O' : 'L');
    else if (asked) at.type('n');
    await sleep(50);
    if (/Press ENTER/.test(at.screen())) at.type('\r');
    if (manner === 'anyway') continue;
    at.type(`${ESCAPE}:e!\r`);
    await sleep(100);
    if (/Press ENTER/.test(at.screen())) at.type('\r');
    return false;
  }
  throw new Error(`vim could not save:\n${at.screen()}`);
}

const nano: EditorCase['open'] = async ({ top, list }, manner): Promise<Editing> => {
  const start = async (): Promise<Terminal> => {
    const opened = openTerminal('nano', ['--ignorercfiles', list], top);
    await opened.until(/Git Worktree/);
    return opened;
  };
  let at = await start();
  return {
    add: (section, lines) =>
      untilSaved(
        async () => {
          at.type(`${ESCAPE}\\`);
          await sleep(30);
          at.type(control('w'));
          await at.until(/Search/);
          at.type(`${headingOf(section)}\r`);
          await at.until(/^(?![^]*Search[ :[])/);
          at.type(`${control('e')}\r${lines.join('\r')}${control('o')}`);
          await at.until(/File Name to Write/);
          at.type('\r');
          const said = await at.until(/continue saving|Wrote \d+ line/);
          if (/Wrote/.test(said)) return true;
          if (manner === 'anyway') {
            at.type('y');
            await at.until(/Wrote \d+ line/);
            return true;
          }
          await at.end();
          at = await start();
          return false;
        },
        () => at.screen(),
      ),
    end: () => at.end(),
  };
};

const emacs: EditorCase['open'] = async ({ top, list }, manner): Promise<Editing> => {
  const at = openTerminal('emacs', ['-nw', '-Q', '--eval', '(electric-indent-mode -1)', list], top);
  await at.until(/Git Worktree/);
  const revert = async (): Promise<void> => {
    at.type(`${ESCAPE}xrevert-buffer\r`);
    await at.until(/yes or no/);
    at.type('yes\r');
    await at.until(/^(?![^]*yes or no)/);
  };
  return {
    add: (section, lines) =>
      untilSaved(async () => {
        at.type(`${ESCAPE}<${control('s')}${headingOf(section)}\r${control('e')}`);
        at.type('\r');
        const begun = await at.until(/really edit the buffer|-U..:\*\*/);
        if (/really edit/.test(begun)) {
          at.type(manner === 'anyway' ? 'y' : 'r');
          await at.until(/^(?![^]*really edit)/);
          if (manner === 'reload') return false;
        }
        at.type(`${lines.join('\r')}${control('x')}${control('s')}`);
        const said = await at.until(/Wrote |Save anyway/);
        if (!/Save anyway/.test(said)) return true;
        at.type(manner === 'anyway' ? 'yes\r' : 'no\r');
        if (manner === 'anyway') {
          await at.until(/Wrote /);
          return true;
        }
        await at.until(/^(?![^]*Save anyway)/);
        await revert();
        return false;
      }, at.screen),
    end: at.end,
  };
};

const BOTH: readonly Manner[] = ['reload', 'anyway'];
const VIM = ['-u', 'NONE', '-N', '-i', 'NONE'];

export const TERMINAL_EDITORS: readonly EditorCase[] = [
  ...['yes', 'no', 'auto'].map((copy): EditorCase => ({
    name: `vim backupcopy=${copy}`,
    manners: BOTH,
    buffers: true,
    needs: [{ program: 'vim', debian: 'vim' }],
    open: vimLike('vim', [...VIM, '-c', `set backupcopy=${copy}`]),
  })),
  { name: 'neovim', manners: BOTH, buffers: true, needs: [{ program: 'nvim', debian: 'neovim' }], open: vimLike('nvim', ['-u', 'NONE', '-i', 'NONE']) },
  { name: 'nano', manners: BOTH, buffers: true, needs: [{ program: 'nano', debian: 'nano' }], open: nano },
  { name: 'emacs', manners: BOTH, buffers: true, needs: [{ program: 'emacs', debian: 'emacs-nox' }], open: emacs },
];
