/** `node --import wrong-clock.mjs`: a wall clock that is off by as many ms as the file named in CHAOS_CLOCK says, from moment to moment. */
import { readFileSync } from 'node:fs';

const file = process.env.CHAOS_CLOCK ?? '';
const RealDate = Date;
let off = 0;
const look = () => {
  try {
    off = Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    off = 0;
  }
};
look();
if (file !== '') setInterval(look, 10).unref();
globalThis.Date = class extends RealDate {
  constructor(...values) {
    if (values.length === 0) super(RealDate.now() + off);
    else super(...values);
  }
  static now() {
    return RealDate.now() + off;
  }
};
