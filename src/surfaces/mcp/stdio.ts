/**
 * MCP over stdio. Speaks every protocol version that the SDK does.
 */
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { type Served, serverOf } from './server.ts';

/** Settles when the client has hung up. */
export function serveTools(served: Served): Promise<void> {
  return new Promise((resolve) => {
    const handle = serveStdio(() => serverOf(served), { onerror: () => undefined });
    process.stdin.once('close', () => void handle.close().finally(resolve));
    process.stdin.once('end', () => void handle.close().finally(resolve));
  });
}
