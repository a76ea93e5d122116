// Short hashes for the names of objects that are made of a template.

const safeCharacters = 'bcdfghjklmnpqrstvwxz2456789';

/** FNV-1a of `text`, in letters that cannot form words. */
export function nameHash(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return [...String(hash)].map((digit) => safeCharacters[digit.charCodeAt(0) % safeCharacters.length]).join('');
}
