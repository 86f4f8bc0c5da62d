/** The assembler's directives. */
import { Complaint } from './assembly-error.ts'
import type { Expression } from './expressions.ts'
import { littleEndian, type ObjectBuilder } from './object.ts'
import { splitOperands, stringBytes, type Statement } from './statements.ts'

/** What a directive may do to the assembly. */
export interface DirectiveContext {
  readonly object: ObjectBuilder
  compressing: boolean
  readonly parse: (text: string) => Expression
  /** A number that must be known at this place. */
  readonly constant: (text: string) => bigint
}

type Directive = (context: DirectiveContext, rest: string, statement: Statement) => void

const data =
  (bytes: number): Directive =>
  ({ object, parse }, rest, statement) => {
    for (const text of splitOperands(rest)) {
      const expression = parse(text)
      const value = object.known(expression)
      if (value && !value.base) object.emit(littleEndian(value.offset, bytes))
      else object.later(bytes, statement, valueOf => littleEndian(valueOf(expression), bytes))
    }
  }

const text =
  (terminator: readonly number[]): Directive =>
  ({ object }, rest) => {
    for (const literal of splitOperands(rest)) {
      const bytes = stringBytes(literal)
      if (!bytes) throw new Complaint(`${literal} is no string: write it in double quotes`)
      object.emit([...bytes, ...terminator])
    }
  }

const MAX_ALIGNMENT = 1 << 24

const align =
  (bytesFor: (argument: number) => number): Directive =>
  ({ object, constant }, rest) => {
    const [amount, fill] = splitOperands(rest)
    const bytes = bytesFor(Number(constant(amount ?? '')))
    if (!Number.isInteger(Math.log2(bytes)) || bytes > MAX_ALIGNMENT) {
      throw new Complaint(`alignment ${bytes} is no power of two up to ${MAX_ALIGNMENT}`)
    }
    object.align(bytes, fill === undefined || fill === '' ? undefined : Number(constant(fill)))
  }

const space: Directive = ({ object, constant }, rest) => {
  const [size, fill] = splitOperands(rest)
  const bytes = Number(constant(size ?? ''))
  if (!(bytes >= 0 && bytes <= 0x1000_0000)) throw new Complaint(`cannot reserve ${bytes} bytes: 0 to 0x10000000`)
  object.emit(new Uint8Array(bytes).fill(fill === undefined ? 0 : Number(constant(fill) & 0xffn)))
}

const origin: Directive = ({ object, constant }, rest) => {
  const target = constant(rest)
  const missing = target - object.here().offset
  if (missing < 0n) throw new Complaint(`.org ${target} lies behind: the section is already at ${object.here().offset}`)
  object.emit(new Uint8Array(Number(missing)))
}

const set: Directive = ({ object, parse }, rest) => {
  const [name, value] = splitOperands(rest)
  if (!name || value === undefined) throw new Complaint('needs a name and a value: .equ name, value')
  object.set(name, parse(value))
}

const option: Directive = (context, rest) => {
  if (rest.trim() === 'rvc') context.compressing = true
  if (rest.trim() === 'norvc') context.compressing = false
}

const section =
  (name?: string): Directive =>
  ({ object }, rest) => {
    const wanted = name ?? splitOperands(rest)[0]
    if (!wanted) throw new Complaint('.section needs a name')
    object.section(wanted.replaceAll('"', ''))
  }

const ignored: Directive = () => {}

// biome-ignore format: a table
const DIRECTIVES: Readonly<Record<string, Directive>> = {
  '.byte': data(1),
  '.half': data(2), '.2byte': data(2), '.short': data(2), '.hword': data(2),
  '.word': data(4), '.4byte': data(4), '.long': data(4), '.int': data(4),
  '.dword': data(8), '.8byte': data(8), '.quad': data(8),
  '.ascii': text([]),
  '.asciz': text([0]), '.string': text([0]), '.asciiz': text([0]),
  '.align': align(argument => 2 ** argument), '.p2align': align(argument => 2 ** argument),
  '.balign': align(argument => argument),
  '.space': space, '.zero': space, '.skip': space,
  '.org': origin,
  '.equ': set, '.set': set, '.equiv': set,
  '.option': option,
  '.section': section(), '.text': section('.text'), '.data': section('.data'), '.rodata': section('.rodata'),
  '.bss': section('.bss'),
  '.globl': ignored, '.global': ignored, '.local': ignored, '.weak': ignored, '.type': ignored, '.size': ignored,
  '.file': ignored, '.attribute': ignored, '.ident': ignored, '.end': ignored,
}

/** A directive by its name with the dot. */
export function directiveNamed(name: string): Directive {
  const directive = DIRECTIVES[name]
  if (directive) return directive
  const known = Object.keys(DIRECTIVES).join(' ')
  throw new Complaint(`directive ${name} is not supported: one of ${known} .macro .rept .irp .if`)
}
