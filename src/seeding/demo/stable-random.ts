/** A number from 0 to 99 that looks like chance and is always the same for the same words (FNV-1a). */
export function draw(...words: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const character of words.join(' ')) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  // The low bits of FNV-1a alone are close to a counter of odd characters.
  return ((hash ^ (hash >>> 15)) >>> 0) % 100;
}
