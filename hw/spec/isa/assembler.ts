/**
 * The assembler: a subset of GNU as's RISC-V language that firmware and guest programs need. Branches and jumps keep
 * their 4 bytes and are never relaxed; `compress` shortens what needs no symbol.
 */
import { AssemblyError, Complaint } from './assembly-error.ts'
import { COMPRESSED } from './c.ts'
import { directiveNamed, type DirectiveContext } from './directives.ts'
import { compress, encode, type FieldValues } from './encoder.ts'
import { parseExpression, type Expression, type Value } from './expressions.ts'
import { fieldFor, matchOperands, shown, type Written } from './instruction-operands.ts'
import { instructionNamed } from './instructions.ts'
import { expandMacro, parseMacro, substitute, type Macro } from './macros.ts'
import { littleEndian, ObjectBuilder } from './object.ts'
import { loadImmediate, PSEUDO_INSTRUCTIONS, SYMBOL_LOADS, SYMBOL_STORES } from './pseudo-instructions.ts'
import { EXACT_CONVERSIONS, X_NUMBERS } from './register-names.ts'
import { splitHead, splitOperands, statementsOf, type Statement } from './statements.ts'

export { AssemblyError } from './assembly-error.ts'

/** A use of `enter NAME`: the index of NAME among the names entered, and the address of the `entry` instruction. */
export interface ProgramEntry {
  readonly index: number
  readonly label: string
  readonly address: number
}

export interface Program {
  readonly origin: number
  /** The image from `origin` on: .text, .rodata, .data and .bss in this order. */
  readonly bytes: Uint8Array
  readonly symbols: ReadonlyMap<string, number>
  /** In the order of the source. */
  readonly entries: readonly ProgramEntry[]
}

export interface AssemblerOptions {
  /** Address of the first byte; 0 unless given. */
  readonly origin?: number
  /** Symbols that the source may use without defining them. */
  readonly symbols?: Readonly<Record<string, number>>
  /** Use compressed forms where they exist; `.option rvc` and `.option norvc` switch it. */
  readonly compress?: boolean
}

const compressedByName = new Map(COMPRESSED.map(form => [form.name, form]))
const LABEL = /^([A-Za-z_.$][\w.$]*|\d+)\s*:\s*/
const MAX_DEPTH = 100

/** Assembles a source. Throws {@link AssemblyError}. */
export function assemble(source: string, options: AssemblerOptions = {}): Program {
  return new Assembly(options).assemble(source)
}

class Assembly implements DirectiveContext {
  readonly object: ObjectBuilder
  readonly macros = new Map<string, Macro>()
  compressing: boolean
  readonly #origin: number
  readonly #numericLabels = new Map<string, number>()
  readonly #entryNames: string[] = []
  readonly #entries: { index: number; label: string; address: number }[] = []
  /** Where each %pcrel_hi stands, and what it is about. */
  readonly #highParts: { readonly place: Expression; readonly target: Expression }[] = []
  #uses = 0
  #statement: Statement = { line: 0, text: '' }

  constructor(options: AssemblerOptions) {
    this.object = new ObjectBuilder(options.symbols ?? {})
    this.compressing = options.compress ?? false
    this.#origin = options.origin ?? 0
  }

  assemble(source: string): Program {
    this.#run(statementsOf(source), 0)
    const { bytes, symbols } = this.#located(() => this.object.link(this.#origin))
    const named = [...symbols].filter(([name]) => !name.includes(' '))
    return {
      origin: this.#origin,
      bytes,
      symbols: new Map(named.map(([name, value]) => [name, Number(value)])),
      entries: this.#entries,
    }
  }

  #located<T>(act: () => T): T {
    try {
      return act()
    } catch (error) {
      if (error instanceof Complaint || error instanceof RangeError) {
        throw new AssemblyError(this.#statement.line, this.#statement.text, error.message)
      }
      throw error
    }
  }

  #run(statements: readonly Statement[], depth: number): void {
    if (depth > MAX_DEPTH) throw new Complaint(`macros nest more than ${MAX_DEPTH} deep: does one use itself?`)
    const conditions: { taken: boolean; active: boolean; outer: boolean }[] = []
    for (let at = 0; at < statements.length; at++) {
      const statement = statements[at]
      this.#statement = statement
      const [head, rest] = splitHead(statement.text)
      const condition = conditions.at(-1)
      const active = condition ? condition.active && condition.outer : true
      if (head.startsWith('.if')) {
        const holds = active && this.#located(() => this.#holds(head, rest))
        conditions.push({ taken: holds, active: holds, outer: active })
      } else if (head === '.else' || head === '.elseif') {
        if (!condition) throw new AssemblyError(statement.line, statement.text, `${head} without .if`)
        const open = !condition.taken && condition.outer
        condition.active = open && (head === '.else' || this.#located(() => this.#holds('.if', rest)))
        condition.taken ||= condition.active
      } else if (head === '.endif') {
        if (!conditions.pop()) throw new AssemblyError(statement.line, statement.text, '.endif without .if')
      } else if (active) {
        at = this.#located(() => this.#carryOut(statements, at, depth))
      }
    }
    if (conditions.length > 0) {
      throw new AssemblyError(this.#statement.line, this.#statement.text, 'an .endif is missing')
    }
  }

  #holds(head: string, rest: string): boolean {
    switch (head) {
      case '.if':
        return this.constant(rest) !== 0n
      case '.ifeq':
        return this.constant(rest) === 0n
      case '.ifne':
        return this.constant(rest) !== 0n
      case '.ifdef':
        return this.object.isDefined(rest.trim())
      case '.ifndef':
        return !this.object.isDefined(rest.trim())
      case '.ifb':
        return rest.trim() === ''
      case '.ifnb':
        return rest.trim() !== ''
      default:
        throw new Complaint(`${head} is unknown: use .if, .ifeq, .ifne, .ifdef, .ifndef, .ifb or .ifnb`)
    }
  }

  /** Carries out the statement at `at` and returns the index of the last one used up. */
  #carryOut(statements: readonly Statement[], at: number, depth: number): number {
    const { line } = statements[at]
    let { text } = statements[at]
    for (let label = LABEL.exec(text); label; label = LABEL.exec(text)) {
      this.#label(label[1])
      text = text.slice(label[0].length)
    }
    if (text === '') return at
    const assignment = /^([A-Za-z_.$][\w.$]*)\s*=(?!=)\s*(.*)$/s.exec(text)
    if (assignment && assignment[1] !== '.') {
      this.object.set(assignment[1], this.parse(assignment[2]))
      return at
    }
    const [head, rest] = splitHead(text)
    if (head === '.macro') {
      const end = blockEnd(statements, at, /^\.macro$/, /^\.endm$/, '.endm')
      const [name, macro] = parseMacro(rest, statements.slice(at + 1, end))
      this.macros.set(name, macro)
      return end
    }
    if (head === '.rept' || head === '.irp') {
      const end = blockEnd(statements, at, /^\.(rept|irp)$/, /^\.endr$/, '.endr')
      const body = statements.slice(at + 1, end)
      for (const repeated of this.#repetitions(head, rest, body)) this.#run(repeated, depth + 1)
      return end
    }
    const macro = this.macros.get(head)
    if (macro) this.#run(expandMacro(macro, head, rest, this.#uses++, line), depth + 1)
    else if (head.startsWith('.')) directiveNamed(head)(this, rest, { line, text })
    else this.#instruction(head.toLowerCase(), splitOperands(rest), { line, text })
    return at
  }

  #repetitions(head: string, rest: string, body: readonly Statement[]): Statement[][] {
    if (head === '.rept') return Array.from({ length: Number(this.constant(rest)) }, () => [...body])
    const [name, ...values] = splitOperands(rest.replace(/^\s*([\w$]+)[\s,]+/, '$1,'))
    return values.map(value =>
      body.map(({ line, text }) => ({ line, text: substitute(text, new Map([[name, value]]), this.#uses) })),
    )
  }

  #label(name: string): void {
    if (!/^\d/.test(name)) return this.object.label(name)
    const count = (this.#numericLabels.get(name) ?? 0) + 1
    this.#numericLabels.set(name, count)
    this.object.label(numericLabel(name, count))
  }

  readonly parse = (text: string): Expression => {
    const expression = parseExpression(text, written => this.#meaningOf(written))
    return this.object.settle(expression)
  }

  #meaningOf(written: string): string | Value {
    if (written === '.') return this.object.here()
    const numeric = /^(\d+)([bf])$/.exec(written)
    if (!numeric) return written
    const count = this.#numericLabels.get(numeric[1]) ?? 0
    if (numeric[2] === 'b' && count === 0) throw new Complaint(`no label ${numeric[1]}: before this line`)
    return numericLabel(numeric[1], numeric[2] === 'b' ? count : count + 1)
  }

  readonly constant = (text: string): bigint => {
    const value = this.object.known(this.parse(text))
    if (!value || value.base) throw new Complaint(`"${text}" must be known here: define its symbols above, as numbers`)
    return value.offset
  }

  #expand(templates: readonly string[], operands: readonly string[], statement: Statement): void {
    for (const template of templates) {
      const text = template.replaceAll(/\$(\d)/g, (_, number: string) => operands[Number(number) - 1])
      const [head, rest] = splitHead(text)
      if (head.startsWith('.')) directiveNamed(head)(this, rest, statement)
      else this.#plainInstruction(head, splitOperands(rest), statement)
    }
  }

  #instruction(name: string, operands: readonly string[], statement: Statement): void {
    if (name === 'li' && operands.length === 2) {
      return this.#expand(loadImmediate(operands[0], this.constant(operands[1])), [], statement)
    }
    if (name === 'enter' && operands.length === 1) return this.#enter(operands[0], statement)
    if (name === 'mv' && operands.length === 2 && this.compressing && X_NUMBERS.get(operands[1]) !== 0) {
      return this.#expand(['add $1, zero, $2'], operands, statement)
    }
    const pseudo = PSEUDO_INSTRUCTIONS[`${name}/${operands.length}`]
    if (pseudo) return this.#expand(pseudo, operands, statement)
    const symbolic = operands.length > 1 && !operands[1].endsWith(')')
    if (SYMBOL_LOADS.includes(name) && operands.length === 2 && symbolic) {
      return this.#expand(['auipc $1, %pcrel_hi($2)', `${name} $1, %pcrel_lo_previous($2)($1)`], operands, statement)
    }
    if (SYMBOL_STORES.includes(name) && operands.length === 3 && symbolic) {
      return this.#expand(['auipc $3, %pcrel_hi($2)', `${name} $1, %pcrel_lo_previous($2)($3)`], operands, statement)
    }
    this.#plainInstruction(name, operands, statement)
  }

  /** The door into entry NAME: t6 is 0, or names an abandoned run of it that goes on. */
  #enter(name: string, statement: Statement): void {
    if (!this.#entryNames.includes(name)) this.#entryNames.push(name)
    const index = this.#entryNames.indexOf(name)
    this.#plainInstruction('addi', ['t6', 'zero', '0'], statement)
    const place: Expression = { kind: 'value', value: this.object.here() }
    const reported = { index, label: name, address: 0 }
    this.#entries.push(reported)
    this.object.later(4, statement, valueOf => {
      reported.address = Number(valueOf(place))
      return littleEndian(BigInt(encode(instructionNamed('entry')!, { imm: index })), 4)
    })
    // Where a handler goes on that has emulated what the entry was doing: see hw/spec/port-stubs.ts.
    this.#plainInstruction('entry', ['4095'], statement)
  }

  #plainInstruction(written: string, operands: readonly string[], statement: Statement): void {
    const ordering = /^((?:lr|sc|amo\w+)\.[wd])\.(aq|rl|aqrl)$/.exec(written)
    const name = ordering?.[1] ?? written
    const instruction = instructionNamed(name)
    const form = instruction ?? compressedByName.get(name)
    if (!form) throw new Complaint(`no instruction or macro "${name}"${suggestion(name, operands.length)}`)
    const bare = name === 'jalr' && operands.length === 2 && !operands[1].endsWith(')')
    const texts = bare ? [operands[0], `0(${operands[1]})`] : operands
    const fields = matchOperands(form.template, texts, this.parse)
    const bits = ordering ? { aq: 1, rl: 2, aqrl: 3 }[ordering[2] as 'aq' | 'rl' | 'aqrl'] : 0
    const order = ((bits & 1) << 26) | ((bits >> 1) << 25)
    const initial: FieldValues = { rm: EXACT_CONVERSIONS.includes(name) ? 0 : 7 }

    const settled = fields.map(field => this.object.known(field.expression))
    const fixed = fields.every((field, index) => needsNoAddress(field) && settled[index] && !settled[index].base)
    const word = (valueOf: (expression: Expression) => bigint, pc: bigint): FieldValues => {
      const values = { ...initial }
      for (const field of fields) {
        const value = fieldFor(field, valueOf(field.expression), pc, address => this.#target(address, valueOf))
        values[field.kind.field] = field.kind.notation === 'fence' ? (values.imm ?? 0) | value : value
      }
      return values
    }
    if (fixed) {
      const values = word(expression => this.object.known(expression)!.offset, 0n)
      const short = instruction && this.compressing ? compress(instruction, values) : undefined
      if (short !== undefined) return this.object.emit(littleEndian(BigInt(short), 2))
      return this.object.emit(littleEndian(BigInt((encode(form, values) | order) >>> 0), instruction ? 4 : 2))
    }
    const high = fields.find(field => field.reference === 'pcrel_hi')
    const place: Expression = { kind: 'value', value: this.object.here() }
    if (high) this.#highParts.push({ place, target: high.expression })
    this.object.later(instruction ? 4 : 2, statement, (valueOf, pc) => {
      try {
        return littleEndian(BigInt(encode(form, word(valueOf, pc))), instruction ? 4 : 2)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        throw new Complaint(`${error.message}: ${form.name} ${shown(form.template)} cannot reach that far`)
      }
    })
  }

  /** What the %pcrel_hi of the instruction at `address` is about. */
  #target(address: bigint, valueOf: (expression: Expression) => bigint): bigint {
    const high = this.#highParts.find(({ place }) => valueOf(place) === address)
    if (!high) throw new Complaint('%pcrel_lo needs the label of an auipc with %pcrel_hi')
    return valueOf(high.target)
  }
}

/** A space keeps these out of the way of what a source can spell. */
function numericLabel(name: string, count: number): string {
  return `${name} ${count}`
}

/** True if the operand's field follows from its value alone. */
function needsNoAddress(written: Written): boolean {
  return written.kind.notation !== 'target' && !written.reference.startsWith('pcrel')
}

function suggestion(name: string, count: number): string {
  const counts = Object.keys(PSEUDO_INSTRUCTIONS)
    .filter(key => key.startsWith(`${name}/`))
    .map(key => key.split('/')[1])
  return counts.length > 0 ? `: it takes ${counts.join(' or ')} operands, found ${count}` : ''
}

/** Index of the statement that ends the block begun at `at`. */
function blockEnd(statements: readonly Statement[], at: number, opens: RegExp, closes: RegExp, name: string): number {
  let depth = 1
  for (let end = at + 1; end < statements.length; end++) {
    const [head] = splitHead(statements[end].text)
    if (opens.test(head)) depth++
    if (closes.test(head) && --depth === 0) return end
  }
  throw new Complaint(`its ${name} is missing`)
}
