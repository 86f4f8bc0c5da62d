/** Assembly source taken apart into statements, and statements into their operands. */

export interface Statement {
  readonly line: number
  readonly text: string
}

/** Length of the string or character literal that begins at `at`, or 0 if none does. */
function literalAt(text: string, at: number): number {
  const quote = text[at]
  if (quote === "'") {
    const length = text[at + 1] === '\\' ? 3 : 2
    return text[at + length] === "'" ? length + 1 : length
  }
  if (quote !== '"') return 0
  let end = at + 1
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
  return end + 1 - at
}

/** The statements of a source: comments (#, //, slash-star) dropped, lines split at semicolons. */
export function statementsOf(source: string): Statement[] {
  const blank = source.replace(/\/\*[^]*?\*\//g, comment => comment.replace(/[^\n]/g, ' '))
  return blank.split('\n').flatMap((text, index) => splitLine(text).map(part => ({ line: index + 1, text: part })))
}

function splitLine(text: string): string[] {
  const parts: string[] = []
  let from = 0
  let at = 0
  while (at < text.length) {
    const literal = literalAt(text, at)
    if (literal > 0) {
      at += literal
      continue
    }
    if (text[at] === '#' || text.startsWith('//', at)) break
    if (text[at] === ';') {
      parts.push(text.slice(from, at))
      from = at + 1
    }
    at++
  }
  parts.push(text.slice(from, at))
  return parts.map(part => part.trim()).filter(part => part !== '')
}

/** Splits operands at commas outside parentheses and literals. */
export function splitOperands(text: string): string[] {
  const operands: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const literal = literalAt(text, at)
    if (literal > 0) {
      at += literal - 1
      continue
    }
    if (text[at] === '(') depth++
    if (text[at] === ')') depth--
    if (text[at] === ',' && depth === 0) {
      operands.push(text.slice(from, at).trim())
      from = at + 1
    }
  }
  const last = text.slice(from).trim()
  return operands.length === 0 && last === '' ? [] : [...operands, last]
}

/** A directive or mnemonic, and what follows it. */
export function splitHead(text: string): readonly [head: string, rest: string] {
  const match = /^(\S+)\s*(.*)$/s.exec(text.trim())
  return match ? [match[1], match[2]] : ['', '']
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, b: 8, f: 12, '\\': 92, '"': 34 }

/** The bytes of a string literal with its quotes, in UTF-8, or undefined if it is none. */
export function stringBytes(literal: string): number[] | undefined {
  if (literal.length < 2 || !literal.startsWith('"') || !literal.endsWith('"')) return undefined
  const bytes: number[] = []
  const pieces = literal.slice(1, -1).match(/\\x[0-9a-fA-F]{1,2}|\\[0-7]{1,3}|\\.|[^\\]+/gs) ?? []
  for (const piece of pieces) {
    if (!piece.startsWith('\\')) bytes.push(...new TextEncoder().encode(piece))
    else if (/^\\[0-7]/.test(piece)) bytes.push(Number.parseInt(piece.slice(1), 8) & 0xff)
    else if (piece.startsWith('\\x')) bytes.push(Number.parseInt(piece.slice(2), 16))
    else bytes.push(ESCAPES[piece[1]] ?? piece.charCodeAt(1))
  }
  return bytes
}
