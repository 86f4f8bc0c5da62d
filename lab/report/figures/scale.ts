/** Linear and logarithmic axes: where a value lies, and which values are worth a line. */

export interface Scale {
  at(value: number): number
  readonly ticks: readonly number[]
}

/** A round step of which `most` or fewer fit into `span`. */
function roundStep(span: number, most: number): number {
  const rough = span / most
  const power = 10 ** Math.floor(Math.log10(rough))
  return power * [1, 2, 2.5, 5, 10].find(factor => factor * power >= rough)!
}

/** From `from` to `to` pixels; covers low to high, both zero being fine. */
export function linear(low: number, high: number, from: number, to: number, most = 6): Scale {
  const span = high - low || 1
  const step = roundStep(span, most)
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor((low + span) / step + 1e-9)
  return {
    at: value => from + ((value - low) / span) * (to - from),
    ticks: Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step),
  }
}

/** Beyond this an axis of equal steps would squeeze what is small. */
const WIDE = 4

/** For values above zero: in equal steps if they are near each other, else by their logarithms. */
export function fitting(low: number, high: number, from: number, to: number): Scale {
  return high / low > WIDE ? logarithmic(low, high, from, to) : linear(low, high, from, to)
}

/** For values above zero. */
export function logarithmic(low: number, high: number, from: number, to: number): Scale {
  const [start, end] = [Math.log10(low), Math.log10(high)]
  const ticks = Array.from({ length: 40 }, (_, index) => index - 20).flatMap(power =>
    [1, 2, 5].map(factor => factor * 10 ** power),
  )
  const inside = ticks.filter(tick => tick >= low * 0.999 && tick <= high * 1.001)
  return {
    at: value => from + ((Math.log10(value) - start) / (end - start || 1)) * (to - from),
    ticks:
      inside.length <= 9
        ? inside
        : inside.filter(tick => Number.isInteger(Math.log10(tick) + 1e-9) || String(tick).startsWith('1')),
  }
}
