/** Numbers as the report writes them. */

const THOUSANDS = /\B(?=(\d{3})+(?!\d))/g

/** A whole number: 1,234,567. */
export function whole(value: number): string {
  return signOf(value) + String(Math.abs(Math.round(value))).replaceAll(THOUSANDS, ',')
}

/** Four digits that matter, and all those before the point: 12,346 or 12.35. */
export function quantity(value: number): string {
  const size = Math.abs(value)
  if (size >= 1000 || size === 0) return whole(value)
  const places = Math.max(0, 3 - Math.floor(Math.log10(size)))
  return signOf(value) + size.toFixed(Math.min(places, 6))
}

/** The same with its sign. */
export function signed(value: number): string {
  return value > 0 ? `+${quantity(value)}` : quantity(value)
}

/** Few places, for axes and narrow bars: 1.2 M. */
export function short(value: number): string {
  const size = Math.abs(value)
  for (const [unit, letter] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (size >= unit * 0.9995) return `${signOf(value)}${trimmed(size / unit)} ${letter}`
  }
  return signOf(value) + trimmed(size)
}

function trimmed(size: number): string {
  return String(Number(size.toPrecision(3)))
}

/** How much more than its base: +3.4 %, or ×12.3 where percent would be unreadable. */
export function more(factor: number): string {
  if (factor >= 9.995) return `×${factor.toFixed(1)}`
  const percent = Math.abs(factor - 1) * 100
  const places = percent >= 9.995 ? 1 : 2
  const text = percent.toFixed(places)
  return `${Number(text) === 0 ? '±' : factor < 1 ? '−' : '+'}${text} %`
}

/** A proper minus, as wide as a plus. */
function signOf(value: number): string {
  return value < 0 ? '−' : ''
}

/** How often: once, 3 times. */
export function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

/** Seeds in few words: 1–30, or 0. */
export function ranges(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].toSorted((a, b) => a - b)
  const parts: string[] = []
  for (let at = 0; at < sorted.length; ) {
    let end = at
    while (sorted[end + 1] === sorted[end] + 1) end++
    parts.push(end === at ? String(sorted[at]) : `${sorted[at]}–${sorted[end]}`)
    at = end + 1
  }
  return parts.join(', ')
}
