/**
 * Swaps two paths of one folder in one step (1.4-R3), or says that it cannot be done here (1.4-R4). Never half
 * done: either both names have changed places or neither has.
 */
import { libc } from './libc.ts';

export type Exchanged =
  | { readonly kind: 'exchanged' }
  /** This system or this file system cannot. */
  | { readonly kind: 'unsupported'; readonly why: string }
  /** What any rename may say: ENOENT, EACCES, EROFS… */
  | { readonly kind: 'failed'; readonly code: string };

/** What kernels and file systems answer that do not know the call or do not have it for these paths. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['ENOSYS', 'EINVAL', 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP']);

export function exchange(a: string, b: string): Exchanged {
  const library = libc();
  if ('trouble' in library) return { kind: 'unsupported', why: `koffi cannot be loaded: ${library.trouble}` };
  if (!library.swap) return { kind: 'unsupported', why: `${process.platform} has no call for it` };
  const result = library.swap(a, b);
  if (result === 0) return { kind: 'exchanged' };
  return UNSUPPORTED.has(result) ? { kind: 'unsupported', why: `the file system says ${result}` } : { kind: 'failed', code: result };
}
