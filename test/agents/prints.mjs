// Prints as many bytes as its argument says: lines, or with `one` a single line without an end, or with `junk` no UTF-8 at all.
const [, , bytes = '1000', kind = 'lines'] = process.argv;
const size = 64 * 1024;
const piece =
  kind === 'junk' ? Buffer.alloc(size, Buffer.from([0xff, 0xfe, 0x80, 0x0a, 0xc3])) : Buffer.alloc(size, kind === 'one' ? 'x' : `${'y'.repeat(79)}\n`);
let left = Number(bytes);
const more = () => {
  while (left > 0) {
    const part = piece.subarray(0, Math.min(left, size));
    left -= part.length;
    if (!process.stdout.write(part)) return void process.stdout.once('drain', more);
  }
  if (kind === 'lines') process.stdout.write('\nthe last line\n');
};
more();
