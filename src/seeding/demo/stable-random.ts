/** A pseudorandom number from 0 to 99 that depends only on the words (FNV-1a). */
export function stableRandom(...words: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const character of words.join(' ')) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  // The low bits of FNV-1a alone almost count the odd characters.
  return ((hash ^ (hash >>> 15)) >>> 0) % 100;
}
