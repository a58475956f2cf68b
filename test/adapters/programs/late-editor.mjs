// An editor that opened the file and takes its time: `node late-editor.mjs <file>`; one JSON request a line, one answer each;
// the file is closed when stdin ends.
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const fd = openSync(process.argv[2], 'r+');
console.log('open');
for await (const line of createInterface({ input: process.stdin })) {
  const { truncate, write, append } = JSON.parse(line);
  if (truncate) ftruncateSync(fd, 0);
  if (write !== undefined) writeSync(fd, write, 0);
  if (append !== undefined) writeSync(fd, append, fstatSync(fd).size);
  console.log('done');
}
closeSync(fd);
