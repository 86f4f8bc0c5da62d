/**
 * A change of the source, as text: what stands at an anchor is replaced. An anchor stands in its file exactly once, so
 * that a change of the product cannot silently move or lose what is planted.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The project's top, with a slash at its end. */
export const TOP: string = fileURLToPath(new URL('../../', import.meta.url))

export interface Substitution {
  /** From the project's top. */
  readonly file: string
  readonly anchor: string
  readonly replacement: string
}

/** The text with all of it replaced. Throws one line if an anchor does not stand in it exactly once, or anchors overlap. */
export function substituted(text: string, substitutions: readonly Substitution[]): string {
  let result = ''
  let from = 0
  const places = substitutions.map(({ file, anchor, replacement }) => ({
    at: placeOf(text, file, anchor),
    anchor,
    replacement,
  }))
  for (const { at, anchor, replacement } of places.toSorted((a, b) => a.at - b.at)) {
    if (at < from) throw new Error(`what is planted at "${firstLine(anchor)}" overlaps with what stands before it`)
    result += text.slice(from, at) + replacement
    from = at + anchor.length
  }
  return result + text.slice(from)
}

/** The source of a file, as it is. */
export function sourceOf(file: string): string {
  return readFileSync(TOP + file, 'utf8')
}

function placeOf(text: string, file: string, anchor: string): number {
  const matches = anchor === '' ? 0 : text.split(anchor).length - 1
  if (matches !== 1)
    throw new Error(`${file}: the anchor "${firstLine(anchor)}" stands there ${matches} times, not once`)
  return text.indexOf(anchor)
}

const firstLine = (anchor: string): string => anchor.split('\n')[0].trim()
