/**
 * The atomic exchange of two files: each path holds the other's file afterwards, and at no moment is one of them missing.
 * Linux: renameat2(RENAME_EXCHANGE); macOS: renamex_np(RENAME_SWAP), untried. Loaded at the first use, never at start.
 */
import { createRequire } from 'node:module';
import { constants } from 'node:os';

export type Exchanged = { readonly kind: 'exchanged' } | { readonly kind: 'unsupported'; readonly why: string } | { readonly kind: 'failed'; readonly code: string };

type Koffi = { load(path: string | null): { func(declaration: string): (...args: unknown[]) => number }; errno(): number };

const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;
const RENAME_SWAP = 2;
const UNSUPPORTED: readonly string[] = ['ENOSYS', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV'];

let native: { readonly call: (a: string, b: string) => number; readonly errno: () => number } | { readonly why: string } | undefined;

export function exchange(a: string, b: string): Exchanged {
  native ??= loadNative();
  if ('why' in native) return { kind: 'unsupported', why: native.why };
  if (native.call(a, b) === 0) return { kind: 'exchanged' };
  const code = nameOf(native.errno());
  return UNSUPPORTED.includes(code) ? { kind: 'unsupported', why: code } : { kind: 'failed', code };
}

function loadNative(): NonNullable<typeof native> {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    const libc = koffi.load(null);
    const errno = (): number => koffi.errno();
    if (process.platform === 'darwin') {
      const swap = libc.func('int renamex_np(const char*, const char*, unsigned int)');
      return { call: (a, b) => swap(a, b, RENAME_SWAP), errno };
    }
    const rename = libc.func('int renameat2(int, const char*, int, const char*, unsigned int)');
    return { call: (a, b) => rename(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE), errno };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

const nameOf = (number: number): string => Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? `errno ${number}`;
