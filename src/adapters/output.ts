/**
 * Bounded memory for output without bounds (13-R2, hazards of runaway agents): bytes cut into lines of a longest length, and the
 * last bytes kept in a ring. Never holds more than its limits, whatever comes in.
 */

export type LineSink = (line: string) => void;
export type LineCutter = { push(chunk: Buffer): void; end(): void };

/** Where a line was cut, what was left out is said. */
const cutNote = (bytes: number): string => `… [${bytes} bytes of this line left out]`;

/**
 * Cuts at new lines, on bytes, so that a character over two chunks stays whole and bytes that are no UTF-8 spoil nothing else.
 * Of a line over `maxBytes` the beginning is handed over at its end, with a note.
 */
export function lineCutter(maxBytes: number, sink: LineSink): LineCutter {
  let held = Buffer.alloc(0);
  let length = 0;
  let left = 0;

  const keep = (part: Buffer): void => {
    const room = Math.min(part.length, maxBytes - length);
    left += part.length - room;
    if (room === 0) return;
    if (length + room > held.length) {
      const grown = Buffer.alloc(Math.min(maxBytes, Math.max(1024, 2 * (length + room))));
      held.copy(grown, 0, 0, length);
      held = grown;
    }
    part.copy(held, length, 0, room);
    length += room;
  };

  const emit = (): void => {
    const end = left === 0 && length > 0 && held[length - 1] === 0x0d ? length - 1 : length;
    const text = held.toString('utf8', 0, end);
    const line = left > 0 ? text + cutNote(left) : text;
    length = 0;
    left = 0;
    if (held.length > KEEP_BYTES) held = Buffer.alloc(0);
    sink(line);
  };

  return {
    push(chunk) {
      let start = 0;
      for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, start)) {
        if (length === 0 && left === 0 && at - start <= maxBytes) sink(chunk.toString('utf8', start, at > start && chunk[at - 1] === 0x0d ? at - 1 : at));
        else {
          keep(chunk.subarray(start, at));
          emit();
        }
        start = at + 1;
      }
      if (start < chunk.length) keep(chunk.subarray(start));
    },
    end() {
      if (length > 0 || left > 0) emit();
    },
  };
}

/** A buffer that grew over this is given back after its line. */
const KEEP_BYTES = 64 * 1024;

/** The last `maxBytes` of what was pushed, as text that begins with a whole line where something was lost. */
export function lastBytes(maxBytes: number): { push(chunk: Buffer): void; text(): string } {
  let ring = Buffer.alloc(0);
  let total = 0;
  return {
    push(chunk) {
      if (ring.length === 0) ring = Buffer.alloc(maxBytes);
      const part = chunk.length > maxBytes ? chunk.subarray(chunk.length - maxBytes) : chunk;
      total += chunk.length - part.length;
      const at = total % maxBytes;
      const first = Math.min(part.length, maxBytes - at);
      part.copy(ring, at, 0, first);
      part.copy(ring, 0, first);
      total += part.length;
    },
    text() {
      if (total <= maxBytes) return ring.toString('utf8', 0, total);
      const at = total % maxBytes;
      const text = Buffer.concat([ring.subarray(at), ring.subarray(0, at)]).toString('utf8');
      const line = text.indexOf('\n');
      return line === -1 || line === text.length - 1 ? text : text.slice(line + 1);
    },
  };
}
