/** Macros and repetitions: bodies of statements with holes. */
import { Complaint } from './assembly-error.ts'
import { splitOperands, type Statement } from './statements.ts'

export interface Macro {
  readonly parameters: readonly { readonly name: string; readonly initial: string | undefined }[]
  readonly body: readonly string[]
}

/** Reads `.macro`'s operands: a name, then parameters with `=default` or `:req`. */
export function parseMacro(rest: string, body: readonly Statement[]): readonly [name: string, macro: Macro] {
  const head = /^([\w.$]+)[\s,]*(.*)$/s.exec(rest)
  if (!head) throw new Complaint('.macro needs a name')
  const words = head[2]
    .replaceAll(/\s*=\s*/g, '=')
    .split(/[\s,]+/)
    .filter(word => word !== '')
  const parameters = words.map(word => {
    const [name, initial] = word.split('=')
    return { name: name.replace(/:(req|vararg)$/, ''), initial: word.includes(':req') ? undefined : (initial ?? '') }
  })
  return [head[1], { parameters, body: body.map(statement => statement.text) }]
}

/** The statements that a use of a macro stands for. `use` is unique to it: \@ in the body. */
export function expandMacro(macro: Macro, name: string, rest: string, use: number, line: number): Statement[] {
  const values = new Map<string, string>()
  let position = 0
  for (const text of splitOperands(rest)) {
    const named = /^([\w.$]+)\s*=(?!=)\s*(.*)$/s.exec(text)
    if (named && macro.parameters.some(parameter => parameter.name === named[1])) {
      values.set(named[1], named[2])
      continue
    }
    const parameter = macro.parameters[position++]
    if (!parameter) throw new Complaint(`${name} takes ${macro.parameters.length} arguments, found more`)
    values.set(parameter.name, text)
  }
  for (const parameter of macro.parameters) {
    if ((values.get(parameter.name) ?? '') !== '') continue
    if (parameter.initial === undefined) throw new Complaint(`${name} needs its argument "${parameter.name}"`)
    values.set(parameter.name, parameter.initial)
  }
  return macro.body.map(text => ({ line, text: substitute(text, values, use) }))
}

/** The text with \name replaced by its value, \() by nothing and \@ by the number of this use. */
export function substitute(text: string, values: ReadonlyMap<string, string>, use: number): string {
  return text.replaceAll(/\\(\(\)|@|[A-Za-z_$][\w$]*)/g, (whole, name: string) => {
    if (name === '()') return ''
    if (name === '@') return String(use)
    return values.get(name) ?? whole
  })
}
