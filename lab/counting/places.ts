/** What it takes to reach variables, properties and elements: addresses, loads and stores. */
import ts from 'typescript'
import { Addresses } from './addresses.ts'
import { bare, isFunction, type Callees, type FunctionNode } from './callees.ts'
import { isModuleLevel, type Constants } from './constants.ts'
import type { Faults } from './faults.ts'
import type { SourceProgram } from './program.ts'
import { PORT, WEIGHTS } from './weights.ts'

/** What the parts of the weigher ask of each other. */
export interface Values {
  /** In how many loops: there, constants and bounds stay in registers. */
  readonly loops: number
  value(expression: ts.Expression): number
  operand(expression: ts.Expression): number
}

export class PlaceWeigher {
  readonly #program: SourceProgram
  readonly #callees: Callees
  readonly #constants: Constants
  readonly #faults: Faults
  readonly #weigher: Values
  /** Variables of the loops around, which fold into addressing. */
  readonly loopVariables = new Set<ts.Symbol>()
  /** Addresses of elements that have been computed. */
  readonly addresses = new Addresses()

  constructor(program: SourceProgram, callees: Callees, constants: Constants, faults: Faults, weigher: Values) {
    this.#program = program
    this.#callees = callees
    this.#constants = constants
    this.#faults = faults
    this.#weigher = weigher
  }

  isLoopVariable(node: ts.Node): boolean {
    const symbol = this.#callees.symbol(node)
    return symbol !== undefined && this.loopVariables.has(symbol)
  }

  isArray(node: ts.Expression): boolean {
    const type = this.#program.checker.getTypeAtLocation(node)
    return (type.symbol?.name ?? '').endsWith('Array') || this.#program.checker.isArrayLikeType(type)
  }

  identifier(node: ts.Identifier): number {
    if (!this.#isCaptured(node) || this.isPort(node)) return 0
    // What a closure captures is a member of the structure that a C programmer passes about: a structure within it needs no load.
    return this.#isObject(node) ? 0 : WEIGHTS.load
  }

  /** A variable of an enclosing function or module, which lives in memory. */
  #isCaptured(node: ts.Identifier): boolean {
    const declaration = this.#callees.declaration(node)
    if (!declaration || isFunction(declaration) || ts.isClassDeclaration(declaration)) return false
    if (isModuleLevel(declaration)) return true
    let home: ts.Node = declaration
    while (home.parent && !isFunction(home)) home = home.parent
    let here: ts.Node = node
    while (here.parent && !(isFunction(here) && !this.#isCallback(here))) here = here.parent
    for (let outer: ts.Node = here; outer; outer = outer.parent) if (outer === home) return home !== here
    return false
  }

  /** A builtin's callback is a loop's body: what it captures is local. */
  #isCallback(node: FunctionNode): boolean {
    return ts.isCallExpression(node.parent) && node.parent.expression !== node
  }

  #isObject(node: ts.Expression): boolean {
    return (this.#program.checker.getTypeAtLocation(node).flags & ts.TypeFlags.Object) !== 0
  }

  /** The port is the hart that runs: no C program holds it in a variable or a member. */
  isPort(node: ts.Node): boolean {
    return this.#program.checker.getTypeAtLocation(node).symbol?.name === PORT
  }

  property(node: ts.PropertyAccessExpression): number {
    this.refuseAny(node.expression)
    if (this.isPort(node)) return 0
    const declaration = this.#callees.declaration(node.name)
    if (declaration && ts.isGetAccessorDeclaration(declaration)) this.#faults.add(node, `getter ${node.name.text}`)
    // Rows of hw/spec tables are always constants where they are used: accessors are inlined.
    if (declaration && /\/hw\/spec\/(registers|layout|csr)\.ts$/.test(declaration.getSourceFile().fileName))
      return this.#weigher.value(node.expression)
    // A loop's bound stays in a register.
    if (node.name.text === 'length' && this.#weigher.loops > 0 && ts.isIdentifier(node.expression)) return 0
    return this.#object0(node.expression) + WEIGHTS.load + (node.questionDotToken ? WEIGHTS.branch : 0)
  }

  /** The object of a property: a static one needs the upper part of its address. */
  #object0(node: ts.Expression): number {
    const constant = this.#constants.of(node)
    if (constant !== undefined) return this.#weigher.loops > 0 ? 0 : WEIGHTS.staticAddress
    return this.#weigher.value(node)
  }

  /** `record['field']` is a property. */
  element(node: ts.ElementAccessExpression): number {
    if (!ts.isStringLiteralLike(node.argumentExpression)) return this.#address(node)
    this.refuseAny(node.expression)
    return this.#object0(node.expression)
  }

  /** What the address of an element takes beyond the access itself. */
  #address(node: ts.ElementAccessExpression): number {
    this.refuseAny(node.expression)
    const index = bare(node.argumentExpression)
    const type = this.#program.checker.getTypeAtLocation(node.expression)
    const name = type.symbol?.name ?? ''
    const array = bare(node.expression)
    // A typed array in a record is an array in a structure: its place is an offset.
    const embedded =
      name.endsWith('Array') && name !== 'Array' && name !== 'ReadonlyArray' && ts.isPropertyAccessExpression(array)
    const holder = embedded ? array.expression : array
    const base = this.#object0(holder)
    if (!this.isArray(node.expression)) this.#faults.add(node, `an index into ${name || 'what is no array'}`)
    if (this.#constants.of(index) !== undefined || this.#foldsIntoAddress(index)) return base
    const scaled = this.#weigher.value(index) + (name === 'Uint8Array' ? WEIGHTS.byteIndex : WEIGHTS.index)
    // Arrays of one structure, at one index: the sum of both is computed once.
    if (!embedded || !isPlain(index)) return base + scaled
    return base + (this.addresses.add(holder.getText(), index.getText()) ? scaled : 0)
  }

  /** The loop's variable, with or without a constant: the compiler walks a pointer. */
  #foldsIntoAddress(index: ts.Expression): boolean {
    const node = bare(index)
    if (ts.isIdentifier(node)) return this.isLoopVariable(node)
    if (!ts.isBinaryExpression(node)) return false
    const { kind } = node.operatorToken
    return (
      (kind === ts.SyntaxKind.PlusToken || kind === ts.SyntaxKind.MinusToken) &&
      ((this.#foldsIntoAddress(node.left) && this.#constants.of(node.right) !== undefined) ||
        (this.#foldsIntoAddress(node.right) && this.#constants.of(node.left) !== undefined))
    )
  }

  /** The left side of an assignment, or a binding: what storing into it adds. */
  stored(target: ts.Expression): number {
    const node = bare(target)
    if (this.isPort(node)) return 0
    if (ts.isIdentifier(node)) {
      this.addresses.assigned(node.text)
      return this.#isCaptured(node) ? WEIGHTS.store : 0
    }
    if (ts.isPropertyAccessExpression(node)) {
      this.refuseAny(node.expression)
      return this.#object0(node.expression) + WEIGHTS.store
    }
    if (ts.isElementAccessExpression(node)) return this.element(node) + WEIGHTS.store
    this.#faults.add(node, 'destructuring assignment')
    return 0
  }

  /** Reading what is about to be stored into again. */
  reloaded(target: ts.Expression): number {
    const node = bare(target)
    return ts.isIdentifier(node) && !this.#isCaptured(node) ? 0 : WEIGHTS.load
  }

  refuseAny(node: ts.Expression): void {
    if (this.#program.checker.getTypeAtLocation(node).flags & ts.TypeFlags.Any)
      this.#faults.add(node, `${node.getText()} is of type any`)
  }
}

/** Made of variables, constants and arithmetic alone. */
function isPlain(node: ts.Expression): boolean {
  const inner = bare(node)
  if (ts.isBinaryExpression(inner))
    return isPlain(inner.left) && isPlain(inner.right) && !isAssignment(inner.operatorToken.kind)
  return ts.isIdentifier(inner) || ts.isNumericLiteral(inner)
}

/** `=`, `+=` and the like. */
export function isAssignment(kind: ts.SyntaxKind): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment
}
