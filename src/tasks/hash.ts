/**
 * A small, fast, non-cryptographic hash for telling texts apart (fingerprints, handles).
 * Never used where somebody could gain from a collision.
 */

/** 53 bits of `text` (cyrb53). */
export function hash53(text: string, seed = 0): number {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}

/** The hash as 11 characters `[0-9a-z]`. */
export function hashText(text: string): string {
  return hash53(text).toString(36).padStart(11, '0');
}
