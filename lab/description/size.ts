/** Sizes as people write them. */
import { UserError } from '../user-error.ts'

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

/** Bytes of "128M", "64K" or a plain number. `place` names where it stood, for the error. */
export function parseSize(size: string | number, place: string): number {
  const match = /^([1-9][0-9]*)([KMG]?)$/i.exec(String(size))
  const unit = UNITS[match?.[2]?.toUpperCase() ?? '']
  if (!match || unit === undefined)
    throw new UserError(`${place}: "${size}" is not a size; write bytes, or a number with K, M or G such as 128M`)
  return Number(match[1]) * unit
}

/** The shortest exact form. */
export function formatSize(bytes: number): string {
  for (const unit of ['G', 'M', 'K'] as const) {
    const size = UNITS[unit] ?? 1
    if (bytes % size === 0) return `${bytes / size}${unit}`
  }
  return `${bytes} bytes`
}

const LEAST_RAM = 4 * 2 ** 20
const MOST_RAM = 3 * 2 ** 30
const PAGE = 4096

/** A machine's RAM: whole pages, and not more than can be simulated. */
export function parseRam(size: string | number, place: string): number {
  const bytes = parseSize(size, place)
  if (bytes % PAGE !== 0 || bytes < LEAST_RAM || bytes > MOST_RAM)
    throw new UserError(`${place}: ${size} is not RAM for this machine; give whole 4K pages, from 4M to 3G`)
  return bytes
}
