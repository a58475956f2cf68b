/**
 * JSON lines from a byte stream, each of a limited size. Never holds more than one line that is not yet whole.
 */
import type { Readable } from 'node:stream';

const NEWLINE = 0x0a;

/** What came is not a frame: too long, not UTF-8, not JSON. */
export class FrameRefused extends Error {
  override name = 'FrameRefused';
  readonly code = 'frame';
}

export async function* frames(stream: Readable, maxBytes: number): AsyncGenerator<unknown, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let parts: Buffer[] = [];
  let size = 0;
  // A stream that is refused stays open: its writer is to be told why.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    let rest = chunk;
    for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE)) {
      size += at;
      assertSize(size, maxBytes);
      const line = Buffer.concat([...parts, rest.subarray(0, at)]);
      parts = [];
      size = 0;
      rest = rest.subarray(at + 1);
      if (line.length > 0) yield parsed(line, decoder);
    }
    if (rest.length > 0) parts.push(rest);
    size += rest.length;
    assertSize(size, maxBytes);
  }
}

function assertSize(size: number, maxBytes: number): void {
  if (size > maxBytes) throw new FrameRefused(`a message of more than ${maxBytes} bytes is not taken`);
}

function parsed(line: Buffer, decoder: TextDecoder): unknown {
  try {
    return JSON.parse(decoder.decode(line)) as unknown;
  } catch (error) {
    throw new FrameRefused(`not a line of JSON: ${(error as Error).message}`);
  }
}
