/** Whom a call reaches. */
import ts from 'typescript'
import { shortPath, type SourceProgram } from './program.ts'
import { INLINE_INTERFACES, OFF_THE_RECORD, PORT, PORT_OFF_THE_RECORD, SET_UP_MEMBERS } from './weights.ts'

export type FunctionNode =
  | ts.FunctionDeclaration
  | ts.FunctionExpression
  | ts.ArrowFunction
  | ts.MethodDeclaration
  | ts.ConstructorDeclaration

export type Callee =
  | { readonly kind: 'function'; readonly node: FunctionNode }
  /** A pure function of hw/spec: the compiler sees through it. */
  | { readonly kind: 'spec'; readonly node: FunctionNode }
  | { readonly kind: 'port'; readonly operation: string }
  | { readonly kind: 'accessor' }
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'off the record' }
  /** Through a function pointer. */
  | { readonly kind: 'indirect' }
  | { readonly kind: 'unknown'; readonly why: string }

export function isFunction(node: ts.Node): node is FunctionNode {
  return (
    ts.isFunctionDeclaration(node) ||
    ts.isFunctionExpression(node) ||
    ts.isArrowFunction(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isConstructorDeclaration(node)
  )
}

/** An expression without its parentheses and type assertions. */
export function bare(node: ts.Expression): ts.Expression {
  let inner = node
  while (
    ts.isParenthesizedExpression(inner) ||
    ts.isAsExpression(inner) ||
    ts.isNonNullExpression(inner) ||
    ts.isSatisfiesExpression(inner)
  ) {
    inner = inner.expression
  }
  return inner
}

export class Callees {
  readonly #program: SourceProgram
  readonly #symbols = new Map<ts.Node, ts.Symbol | undefined>()
  readonly #callees = new Map<ts.Node, Callee>()

  constructor(program: SourceProgram) {
    this.#program = program
  }

  /** What a name stands for, imports followed to their source. */
  symbol(node: ts.Node): ts.Symbol | undefined {
    if (this.#symbols.has(node)) return this.#symbols.get(node)
    const { checker } = this.#program
    let symbol = checker.getSymbolAtLocation(node)
    if (node.parent && ts.isShorthandPropertyAssignment(node.parent))
      symbol = checker.getShorthandAssignmentValueSymbol(node.parent)
    if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol)
    this.#symbols.set(node, symbol)
    return symbol
  }

  declaration(node: ts.Node): ts.Declaration | undefined {
    return this.symbol(node)?.declarations?.[0]
  }

  /** The function that a name or expression is bound to for good, if there is one. */
  functionOf(node: ts.Expression): FunctionNode | undefined {
    if (isFunction(node)) return node
    const name = ts.isPropertyAccessExpression(node) ? node.name : node
    const declaration = this.declaration(name)
    return declaration && functionIn(declaration)
  }

  callee(call: ts.CallExpression | ts.NewExpression): Callee {
    const known = this.#callees.get(call)
    if (known) return known
    const found = this.#find(call)
    this.#callees.set(call, found)
    return found
  }

  #find(call: ts.CallExpression | ts.NewExpression): Callee {
    const callee = bare(call.expression)
    const name = ts.isPropertyAccessExpression(callee) ? callee.name : callee
    const declaration = this.declaration(name)
    if (!declaration) {
      const { checker } = this.#program
      const type = checker.getTypeAtLocation(callee)
      if (type.flags & ts.TypeFlags.Any) return { kind: 'unknown', why: `${callee.getText()} is of type any` }
      return type.getCallSignatures().length > 0
        ? { kind: 'indirect' }
        : { kind: 'unknown', why: `nothing is known of ${callee.getText()}` }
    }
    const file = declaration.getSourceFile()
    if (this.#program.isLibrary(file)) return { kind: 'builtin', name: builtinName(declaration) }
    if (OFF_THE_RECORD.some(pattern => pattern.test(shortPath(file.fileName)))) return { kind: 'off the record' }
    const path = interfacePath(declaration)
    if (path !== undefined) {
      if (path.startsWith(`${PORT}.`)) {
        const operation = path.slice(PORT.length + 1)
        return PORT_OFF_THE_RECORD.includes(operation) ? { kind: 'off the record' } : { kind: 'port', operation }
      }
      if (SET_UP_MEMBERS.includes(path))
        return { kind: 'unknown', why: `${path} may only be called while software is set up` }
      if (isAccessor(path)) return { kind: 'accessor' }
    }
    const node = functionIn(declaration)
    if (node) {
      if (this.#program.isCounted(file)) return { kind: 'function', node }
      if (shortPath(file.fileName).startsWith('hw/spec/')) return { kind: 'spec', node }
      return { kind: 'unknown', why: `${shortPath(file.fileName)} is not counted` }
    }
    if (ts.isClassDeclaration(declaration)) {
      const constructor = declaration.members.find(ts.isConstructorDeclaration)
      return constructor ? { kind: 'function', node: constructor } : { kind: 'accessor' }
    }
    return { kind: 'indirect' }
  }

  /** The path of the interface member that a method of a class or object literal implements, as far as it is declared. */
  implemented(node: FunctionNode): string | undefined {
    const holder = ts.isPropertyAssignment(node.parent) ? node.parent : node
    const name = ts.getNameOfDeclaration(holder)?.getText()
    const { parent } = holder
    if (name === undefined || !parent) return undefined
    if (ts.isObjectLiteralExpression(parent)) {
      const declaration = this.#program.checker.getContextualType(parent)?.symbol?.declarations?.[0]
      const path = declaration && interfacePath(declaration)
      return path === undefined ? undefined : `${path}.${name}`
    }
    if (!ts.isClassLike(parent)) return undefined
    const interfaces =
      parent.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ImplementsKeyword)?.types ?? []
    return interfaces
      .map(({ expression }) => `${expression.getText()}.${name}`)
      .find(path => SET_UP_MEMBERS.includes(path))
  }

  /** True if the object literal is an implementation of accessors that a C programmer has inline. */
  implementsAccessors(literal: ts.ObjectLiteralExpression): boolean {
    const symbol = this.#program.checker.getContextualType(literal)?.symbol
    const declaration = symbol?.declarations?.[0]
    return declaration !== undefined && isAccessor(`${interfacePath(declaration) ?? ''}.`)
  }
}

function isAccessor(path: string): boolean {
  return INLINE_INTERFACES.some(prefix => path === prefix || path.startsWith(`${prefix}.`))
}

/** The function that a declaration is, or is bound to by `const` or in an object literal. */
function functionIn(declaration: ts.Declaration): FunctionNode | undefined {
  if (isFunction(declaration)) return declaration.body ? declaration : undefined
  const bound =
    (ts.isVariableDeclaration(declaration) && ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const) ||
    ts.isPropertyAssignment(declaration)
  if (!bound || !declaration.initializer) return undefined
  const value = bare(declaration.initializer)
  return isFunction(value) ? value : undefined
}

/** `Map.get`, `Math.floor`; the array types count as one. */
function builtinName(declaration: ts.Declaration): string {
  const { parent } = declaration
  const member = ts.getNameOfDeclaration(declaration)?.getText() ?? '?'
  return ts.isInterfaceDeclaration(parent) ? `${parent.name.text}.${member}` : member
}

/** `Environment.device.read` of a member of an interface, or of a type literal in one. */
function interfacePath(declaration: ts.Node): string | undefined {
  if (ts.isInterfaceDeclaration(declaration)) return declaration.name.text
  if (ts.isTypeLiteralNode(declaration)) return interfacePath(declaration.parent)
  if (!ts.isMethodSignature(declaration) && !ts.isPropertySignature(declaration)) return undefined
  const outer = interfacePath(declaration.parent)
  return outer === undefined ? undefined : `${outer}.${declaration.name.getText()}`
}
