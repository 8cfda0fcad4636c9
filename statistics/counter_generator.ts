/** The key of a name's numbers under a seed: their 32-bit hash (FNV-1a). */
export function nameKey(name: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The 32 bits of element `index` under a key: a counter-based generator (the finaliser of MurmurHash3). */
export function elementBits(key: number, index: number): number {
  let bits = (index + Math.imul(key, 0x9e3779b1)) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** Numbers in [0, 1), one a call, that a name and a seed decide. */
export function generator(name: string, seed: number): () => number {
  const key = nameKey(name, seed);
  let index = 0;
  return () => elementBits(key, index++) / 2 ** 32;
}
