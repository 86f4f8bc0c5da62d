/** What is on the disk of a scenario's machine at first: every sector says, everywhere, which it is. */
export const SECTOR = 512
const WORDS = SECTOR / 4

/** The content of a sector. */
export function sectorImage(sector: number): Uint8Array {
  const words = new Uint32Array(WORDS)
  for (let at = 0; at < WORDS; at++) words[at] = (sector << 8) | at
  return new Uint8Array(words.buffer)
}

export function diskImage(sectors: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sectors * SECTOR)
  for (let sector = 0; sector < sectors; sector++) bytes.set(sectorImage(sector), sector * SECTOR)
  return bytes
}
