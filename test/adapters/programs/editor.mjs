// A person's editor: saves a list over and over, each time with one more word. `node editor.mjs <file> <style> <saves> <log> [ms]`
// prints `<word>` into the log once that save is complete, and rests for up to so many ms (3). Styles: truncate, chunks, overwrite, vim, rename, jetbrains.
import { appendFileSync, closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, renameSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';

const [file, style, saves, log, restMs = '3'] = process.argv.slice(2);
const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

const SAVE = {
  truncate(text) {
    const fd = openSync(file, 'r+');
    ftruncateSync(fd, 0);
    pause(1);
    writeSync(fd, text, 0);
    closeSync(fd);
  },
  chunks(text) {
    const bytes = Buffer.from(text);
    const fd = openSync(file, 'r+');
    ftruncateSync(fd, 0);
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 3)) {
      writeSync(fd, bytes.subarray(at, at + Math.ceil(bytes.length / 3)));
      pause(1);
    }
    closeSync(fd);
  },
  overwrite(text) {
    const fd = openSync(file, 'r+');
    writeSync(fd, text, 0);
    ftruncateSync(fd, Buffer.byteLength(text));
    closeSync(fd);
  },
  vim(text) {
    renameSync(file, `${file}~`);
    const fd = openSync(file, 'wx');
    writeSync(fd, text);
    fsyncSync(fd);
    closeSync(fd);
    unlinkSync(`${file}~`);
  },
  rename(text) {
    writeFileSync(`${file}.tmp`, text);
    renameSync(`${file}.tmp`, file);
  },
  jetbrains(text) {
    writeFileSync(`${file}___jb_tmp___`, text);
    renameSync(file, `${file}___jb_old___`);
    renameSync(`${file}___jb_tmp___`, file);
    unlinkSync(`${file}___jb_old___`);
  },
};

for (let save = 0; save < Number(saves); save++) {
  const word = `${style}-${save}-word`;
  let text = '';
  for (;;) {
    try {
      text = readFileSync(file, 'utf8');
      if (text.includes('END')) break;
    } catch {
      // another writer is in between
    }
  }
  try {
    SAVE[style](text.replace('END', `${word}\nEND`));
    appendFileSync(log, `${word}\n`);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  pause(Math.random() * Number(restMs));
}
