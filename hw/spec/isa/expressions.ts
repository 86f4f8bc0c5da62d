/**
 * Expressions of the assembler, with GNU as's operators and precedence: first * / % << >>, then | & ^, then + - and
 * comparisons (which yield -1 for true), then &&, then ||.
 */
import { Complaint } from './assembly-error.ts'

/** A place that only layout gives an address. */
export interface Section {
  readonly name: string
}

/** A number, or (with `base`) an offset into a section. */
export interface Value {
  readonly base: Section | undefined
  readonly offset: bigint
}

export type Expression =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }

/** What a symbol stands for; undefined if that is not known yet. */
export type Resolve = (name: string) => Value | undefined

/** A number as a value. */
export function absolute(offset: bigint): Value {
  return { base: undefined, offset: BigInt.asIntN(64, offset) }
}

const NUMBER = /0[xX][0-9a-fA-F]+|0[bB][01]+|\d+[bf](?![\w.])|\d+|'(?:\\.|[^\\])'?/
const NAME = /[A-Za-z_.$][\w.$]*/
const OPERATOR = /<<|>>|&&|\|\||==|!=|<>|<=|>=|[-+*/%|&^~!()<>]/
const TOKEN = new RegExp(`\\s*(${NUMBER.source}|${NAME.source}|${OPERATOR.source})`, 'y')

const PRECEDENCE: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['+', '-', '==', '!=', '<>', '<', '>', '<=', '>='],
  ['|', '&', '^'],
  ['*', '/', '%', '<<', '>>'],
]

const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, 0: 0, b: 8, f: 12 }

function tokens(text: string): string[] {
  const found: string[] = []
  TOKEN.lastIndex = 0
  const trimmed = text.trimEnd()
  while (TOKEN.lastIndex < trimmed.length) {
    const from = TOKEN.lastIndex
    const match = TOKEN.exec(trimmed)
    if (!match) throw new Complaint(`"${trimmed.slice(from).trim()}" is no expression`)
    found.push(match[1])
  }
  return found
}

/**
 * Parses an expression. `name` maps a symbol as written to the one meant, or to a value that is known at this place
 * (`.`, and the numeric labels 1f and 1b).
 */
export function parseExpression(text: string, name: (written: string) => string | Value): Expression {
  const rest = tokens(text)
  let position = 0

  function primary(): Expression {
    const token = rest[position++]
    if (token === undefined) throw new Complaint(`"${text.trim()}" ends where a number or symbol should follow`)
    if (token === '(') {
      const inner = level(0)
      if (rest[position++] !== ')') throw new Complaint(`a ) is missing in "${text.trim()}"`)
      return inner
    }
    if (token === '-' || token === '+' || token === '~' || token === '!') {
      return { kind: 'unary', operator: token, operand: primary() }
    }
    if (token.startsWith("'")) {
      const code = token[1] === '\\' ? (ESCAPES[token[2]] ?? token.charCodeAt(2)) : token.charCodeAt(1)
      return { kind: 'value', value: absolute(BigInt(code)) }
    }
    if (/^\d/.test(token) && !/^(0[xXbB]|\d+$)/.test(token)) return named(token)
    if (/^\d/.test(token)) {
      const octal = /^0\d+$/.test(token)
      return { kind: 'value', value: absolute(BigInt(octal ? `0o${token.slice(1)}` : token)) }
    }
    if (/^[A-Za-z_.$]/.test(token)) return named(token)
    throw new Complaint(`"${token}" in "${text.trim()}" is no number or symbol`)
  }

  function named(token: string): Expression {
    const meant = name(token)
    return typeof meant === 'string' ? { kind: 'symbol', name: meant } : { kind: 'value', value: meant }
  }

  function level(depth: number): Expression {
    const operators = PRECEDENCE[depth]
    if (!operators) return primary()
    let left = level(depth + 1)
    while (position < rest.length && operators.includes(rest[position])) {
      const operator = rest[position++]
      left = { kind: 'binary', operator, left, right: level(depth + 1) }
    }
    return left
  }

  const expression = level(0)
  if (position < rest.length) throw new Complaint(`"${rest.slice(position).join(' ')}" after the end of an expression`)
  return expression
}

const truth = (value: boolean): bigint => (value ? -1n : 0n)

const NUMERIC: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  '*': (a, b) => a * b,
  '<<': (a, b) => a << (b & 63n),
  '>>': (a, b) => BigInt.asUintN(64, a) >> (b & 63n),
  '|': (a, b) => a | b,
  '&': (a, b) => a & b,
  '^': (a, b) => a ^ b,
  '&&': (a, b) => truth(a !== 0n && b !== 0n),
  '||': (a, b) => truth(a !== 0n || b !== 0n),
}

const COMPARISONS: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<>': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
}

/** The value of an expression, or undefined if it needs something that is not known yet. */
export function evaluate(expression: Expression, resolve: Resolve): Value | undefined {
  switch (expression.kind) {
    case 'value':
      return expression.value
    case 'symbol':
      return resolve(expression.name)
    case 'unary': {
      const operand = evaluate(expression.operand, resolve)
      if (!operand || (operand.base && expression.operator !== '+')) return undefined
      if (expression.operator === '+') return operand
      if (expression.operator === '!') return absolute(operand.offset === 0n ? 1n : 0n)
      return absolute(expression.operator === '-' ? -operand.offset : ~operand.offset)
    }
    default: {
      const left = evaluate(expression.left, resolve)
      const right = evaluate(expression.right, resolve)
      return left && right ? combine(expression.operator, left, right) : undefined
    }
  }
}

function combine(operator: string, left: Value, right: Value): Value | undefined {
  if (operator === '+' && !(left.base && right.base)) {
    return { base: left.base ?? right.base, offset: BigInt.asIntN(64, left.offset + right.offset) }
  }
  if (operator === '-' && (!right.base || right.base === left.base)) {
    return { base: right.base ? undefined : left.base, offset: BigInt.asIntN(64, left.offset - right.offset) }
  }
  const compare = COMPARISONS[operator]
  if (compare) return left.base === right.base ? absolute(truth(compare(left.offset, right.offset))) : undefined
  if (left.base || right.base) return undefined
  if (operator === '/' || operator === '%') {
    if (right.offset === 0n) throw new Complaint('division by zero')
    return absolute(operator === '/' ? left.offset / right.offset : left.offset % right.offset)
  }
  return absolute(NUMERIC[operator](left.offset, right.offset))
}
