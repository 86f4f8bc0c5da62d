/** What expressions weigh. Arms that may not run and weigh enough are counted apart, where they run. */
import ts from 'typescript'
import { Addresses } from './addresses.ts'
import { bare, isFunction, type Callees, type FunctionNode } from './callees.ts'
import { isModuleLevel, type Constants } from './constants.ts'
import type { Faults } from './faults.ts'
import type { SourceProgram } from './program.ts'
import { builtin, COUNT_TRAILING_ZEROS, LENGTH_LOOPS, LOOPS, writable, WEIGHTS } from './weights.ts'

/** What the weigher has to know of functions. */
export interface Bodies {
  /** True if calls of it cost nothing beyond its body. */
  inlined(node: FunctionNode): boolean
  counted(node: FunctionNode): boolean
  /** The weight of a straight-line function of hw/spec, or undefined if it is none. */
  specWeight(node: FunctionNode): number | undefined
}

/** Told of arms that are to be counted apart; a weight in words is an expression of their scope. */
export type ArmSink = (arm: ts.Expression, weight: number | string) => void

/** Arms lighter than this are charged whether they run or not. */
const HEAVY_ARM = 3

export class Weigher {
  readonly #program: SourceProgram
  readonly #callees: Callees
  readonly #constants: Constants
  readonly #bodies: Bodies
  readonly #faults: Faults
  readonly #onArm: ArmSink
  /** Variables of the loops around, which fold into addressing. */
  readonly loopVariables = new Set<ts.Symbol>()
  /** Addresses of elements that have been computed. */
  readonly addresses = new Addresses()
  /** In a loop constants stay in registers. */
  loops = 0

  constructor(
    program: SourceProgram,
    callees: Callees,
    constants: Constants,
    bodies: Bodies,
    faults: Faults,
    onArm: ArmSink,
  ) {
    this.#program = program
    this.#callees = callees
    this.#constants = constants
    this.#bodies = bodies
    this.#faults = faults
    this.#onArm = onArm
  }

  /** To compute a value into some register. Constants weigh nothing here: whoever uses them says what they need. */
  value(expression: ts.Expression): number {
    const node = bare(expression)
    if (this.#constants.of(node) !== undefined) return 0
    switch (node.kind) {
      case ts.SyntaxKind.Identifier:
        return this.#identifier(node as ts.Identifier)
      case ts.SyntaxKind.ThisKeyword:
      case ts.SyntaxKind.SuperKeyword:
      case ts.SyntaxKind.OmittedExpression:
        return 0
      case ts.SyntaxKind.PropertyAccessExpression:
        return this.#property(node as ts.PropertyAccessExpression)
      case ts.SyntaxKind.ElementAccessExpression:
        return this.#element(node as ts.ElementAccessExpression) + WEIGHTS.load
      case ts.SyntaxKind.BinaryExpression:
        return this.#binary(node as ts.BinaryExpression)
      case ts.SyntaxKind.PrefixUnaryExpression:
        return this.#prefix(node as ts.PrefixUnaryExpression)
      case ts.SyntaxKind.PostfixUnaryExpression:
        return this.#step((node as ts.PostfixUnaryExpression).operand)
      case ts.SyntaxKind.ConditionalExpression:
        return this.#conditional(node as ts.ConditionalExpression)
      case ts.SyntaxKind.CallExpression:
        return this.#call(node as ts.CallExpression)
      case ts.SyntaxKind.NewExpression:
        return this.#new(node as ts.NewExpression)
      case ts.SyntaxKind.ObjectLiteralExpression:
        return this.#object(node as ts.ObjectLiteralExpression)
      case ts.SyntaxKind.ArrayLiteralExpression:
        return this.#array(node as ts.ArrayLiteralExpression)
      case ts.SyntaxKind.VoidExpression:
        return this.value((node as ts.VoidExpression).expression)
    }
    this.#refuse(node)
    return 0
  }

  /** To compute a value and have it in a register that something needs: constants have to be put there. */
  operand(expression: ts.Expression): number {
    const constant = this.#constants.of(expression)
    if (constant === undefined) return this.value(expression)
    return constant === 0 || this.loops > 0 ? 0 : WEIGHTS.constant
  }

  /** To branch on a condition. */
  condition(expression: ts.Expression): number {
    const node = bare(expression)
    if (this.#constants.of(node) !== undefined) return 0
    if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
      return this.condition(node.operand)
    if (ts.isBinaryExpression(node)) {
      const { kind } = node.operatorToken
      if (kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken) {
        return (
          this.condition(node.left) +
          this.#arm(
            node.right,
            this.addresses.within(() => this.condition(node.right)),
          )
        )
      }
      if (isComparison(kind)) return this.#compared(node) + WEIGHTS.branch
    }
    // An inlined predicate has branched already.
    if (ts.isCallExpression(node) && this.#isInlined(node)) return this.value(node)
    return this.value(node) + WEIGHTS.branch
  }

  /** The left side of an assignment, or a binding: what storing into it adds. */
  stored(target: ts.Expression): number {
    const node = bare(target)
    if (ts.isIdentifier(node)) {
      this.addresses.assigned(node.text)
      return this.#isCaptured(node) ? WEIGHTS.store : 0
    }
    if (ts.isPropertyAccessExpression(node)) {
      this.#refuseAny(node.expression)
      return this.#object0(node.expression) + WEIGHTS.store
    }
    if (ts.isElementAccessExpression(node)) return this.#element(node) + WEIGHTS.store
    this.#faults.add(node, 'destructuring assignment')
    return 0
  }

  isLoopVariable(node: ts.Node): boolean {
    const symbol = this.#callees.symbol(node)
    return symbol !== undefined && this.loopVariables.has(symbol)
  }

  isArray(node: ts.Expression): boolean {
    const type = this.#program.checker.getTypeAtLocation(node)
    return (type.symbol?.name ?? '').endsWith('Array') || this.#program.checker.isArrayLikeType(type)
  }

  #identifier(node: ts.Identifier): number {
    if (!this.#isCaptured(node)) return 0
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

  #property(node: ts.PropertyAccessExpression): number {
    this.#refuseAny(node.expression)
    const declaration = this.#callees.declaration(node.name)
    if (declaration && ts.isGetAccessorDeclaration(declaration)) this.#faults.add(node, `getter ${node.name.text}`)
    // Rows of hw/spec tables are always constants where they are used: accessors are inlined.
    if (declaration && /\/hw\/spec\/(registers|layout|csr)\.ts$/.test(declaration.getSourceFile().fileName))
      return this.value(node.expression)
    // A loop's bound stays in a register.
    if (node.name.text === 'length' && this.loops > 0 && ts.isIdentifier(node.expression)) return 0
    return this.#object0(node.expression) + WEIGHTS.load + (node.questionDotToken ? WEIGHTS.branch : 0)
  }

  /** The object of a property: a static one needs the upper part of its address. */
  #object0(node: ts.Expression): number {
    const constant = this.#constants.of(node)
    if (constant !== undefined) return this.loops > 0 ? 0 : WEIGHTS.staticAddress
    return this.value(node)
  }

  /** `record['field']` is a property. */
  #element(node: ts.ElementAccessExpression): number {
    if (!ts.isStringLiteralLike(node.argumentExpression)) return this.#address(node)
    this.#refuseAny(node.expression)
    return this.#object0(node.expression)
  }

  /** What the address of an element takes beyond the access itself. */
  #address(node: ts.ElementAccessExpression): number {
    this.#refuseAny(node.expression)
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
    const scaled = this.value(index) + (name === 'Uint8Array' ? WEIGHTS.byteIndex : WEIGHTS.index)
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

  /** An address given to the port: a constant that is added to it is the instruction's offset. */
  #portAddress(node: ts.Expression): number {
    const inner = bare(node)
    if (ts.isBinaryExpression(inner) && inner.operatorToken.kind === ts.SyntaxKind.PlusToken) {
      if (this.#constants.of(inner.right) !== undefined) return this.#portAddress(inner.left)
      if (this.#constants.of(inner.left) !== undefined) return this.#portAddress(inner.right)
    }
    return this.operand(inner)
  }

  #binary(node: ts.BinaryExpression): number {
    const { kind } = node.operatorToken
    if (kind === ts.SyntaxKind.EqualsToken) return this.operand(node.right) + this.stored(node.left)
    if (kind === ts.SyntaxKind.CommaToken) return this.value(node.left) + this.value(node.right)
    if (isAssignment(kind)) return this.#compound(node)
    if (kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken) {
      return (
        this.condition(node.left) +
        this.#arm(
          node.right,
          this.addresses.within(() => this.value(node.right)),
        ) +
        WEIGHTS.constant
      )
    }
    if (kind === ts.SyntaxKind.QuestionQuestionToken) {
      return this.value(node.left) + WEIGHTS.branch + this.#arm(node.right, this.operand(node.right))
    }
    if (isComparison(kind)) {
      const equality =
        kind === ts.SyntaxKind.EqualsEqualsEqualsToken || kind === ts.SyntaxKind.ExclamationEqualsEqualsToken
      const plain = kind === ts.SyntaxKind.LessThanToken || kind === ts.SyntaxKind.GreaterThanToken
      const zero = equality && (this.#constants.of(node.right) === 0 || this.#constants.of(node.left) === 0)
      return this.#compared(node) + (plain || zero ? WEIGHTS.compared : WEIGHTS.comparedInTwo)
    }
    if (kind === ts.SyntaxKind.InstanceOfKeyword || kind === ts.SyntaxKind.InKeyword) {
      this.#faults.add(node, `\`${node.operatorToken.getText()}\``)
      return 0
    }
    return this.#operation(node, kind)
  }

  /** The two sides of a comparison, in registers. */
  #compared(node: ts.BinaryExpression): number {
    return this.operand(node.left) + this.operand(node.right)
  }

  /** Arithmetic: one instruction, whatever the size of its numbers, but for what the ISA has no immediate for. */
  #operation(node: ts.BinaryExpression, kind: ts.SyntaxKind): number {
    if (kind === ts.SyntaxKind.PlusToken) this.#refuseStrings(node)
    const left = this.value(node.left)
    const right = this.value(node.right)
    const both = left + right
    const constant = this.#constants.of(node.right) ?? this.#constants.of(node.left)
    const rightZero = this.#constants.of(node.right) === 0
    switch (kind) {
      case ts.SyntaxKind.BarToken:
      case ts.SyntaxKind.GreaterThanGreaterThanGreaterThanToken:
        // Says that a number is 32 bits wide, which a load or a *w instruction has seen to.
        if (rightZero) return both
        break
      case ts.SyntaxKind.AmpersandToken:
        if (typeof constant === 'number' && !isImmediate(constant)) return both + WEIGHTS.wideMask
        return both + WEIGHTS.operation
      case ts.SyntaxKind.PercentToken:
        if (typeof constant === 'number')
          return both + (isPowerOfTwo(constant) ? WEIGHTS.operation : WEIGHTS.constantRemainder)
        break
      case ts.SyntaxKind.SlashToken:
        if (typeof this.#constants.of(node.right) === 'number') {
          return (
            both +
            (isPowerOfTwo(this.#constants.of(node.right) as number) ? WEIGHTS.operation : WEIGHTS.constantQuotient)
          )
        }
        break
      case ts.SyntaxKind.AsteriskToken:
        // A multiplication by a power of two is a shift: no constant needs a register.
        if (typeof constant === 'number' && isPowerOfTwo(constant)) return both + WEIGHTS.operation
        return both + WEIGHTS.operation + (constant === undefined || this.loops > 0 ? 0 : WEIGHTS.constant)
      case ts.SyntaxKind.AsteriskAsteriskToken:
        if (this.#constants.of(node.left) !== 2) this.#faults.add(node, '`**` of anything but 2')
        return both + WEIGHTS.constant + WEIGHTS.operation
    }
    const wide = typeof constant === 'number' && !isImmediate(constant) && this.loops === 0
    return both + WEIGHTS.operation + (wide ? WEIGHTS.constant : 0)
  }

  /** `a op= b`: the address once, load, operation, store. */
  #compound(node: ts.BinaryExpression): number {
    const { kind } = node.operatorToken
    if (kind === ts.SyntaxKind.PlusEqualsToken) this.#refuseStrings(node)
    const constant = this.#constants.of(node.right)
    const masks = kind === ts.SyntaxKind.AmpersandEqualsToken
    const wide = typeof constant === 'number' && !isImmediate(constant) && this.loops === 0
    const operation = masks && wide ? WEIGHTS.wideMask : WEIGHTS.operation + (wide ? WEIGHTS.constant : 0)
    return this.value(node.right) + operation + this.stored(node.left) + this.#reloaded(node.left)
  }

  #step(operand: ts.Expression): number {
    return WEIGHTS.operation + this.stored(operand) + this.#reloaded(operand)
  }

  /** Reading what is about to be stored into again. */
  #reloaded(target: ts.Expression): number {
    const node = bare(target)
    return ts.isIdentifier(node) && !this.#isCaptured(node) ? 0 : WEIGHTS.load
  }

  #prefix(node: ts.PrefixUnaryExpression): number {
    switch (node.operator) {
      case ts.SyntaxKind.PlusPlusToken:
      case ts.SyntaxKind.MinusMinusToken:
        return this.#step(node.operand)
      case ts.SyntaxKind.PlusToken:
        return this.value(node.operand)
      default:
        return this.value(node.operand) + WEIGHTS.operation
    }
  }

  #conditional(node: ts.ConditionalExpression): number {
    const condition = this.condition(node.condition)
    const then = this.addresses.within(() => this.operand(node.whenTrue))
    const otherwise = this.addresses.within(() => this.operand(node.whenFalse))
    if (then < HEAVY_ARM && otherwise < HEAVY_ARM) return condition + Math.max(then, otherwise, 1)
    this.#onArm(node.whenTrue, then)
    this.#onArm(node.whenFalse, otherwise + WEIGHTS.jump)
    return condition
  }

  /** The right side of && and the like: what it adds to the block, if it is not counted apart. */
  #arm(node: ts.Expression, weight: number): number {
    if (weight < HEAVY_ARM) return weight
    this.#onArm(node, weight)
    return 0
  }

  #isInlined(node: ts.CallExpression): boolean {
    const callee = this.#callees.callee(node)
    return (callee.kind === 'function' && this.#bodies.inlined(callee.node)) || callee.kind === 'spec'
  }

  #call(node: ts.CallExpression): number {
    const callee = this.#callees.callee(node)
    const parameters = node.arguments
    switch (callee.kind) {
      case 'off the record':
        return 0
      case 'port':
        return parameters.reduce(
          (sum, argument, index) => sum + (index === 0 ? this.#portAddress(argument) : this.operand(argument)),
          0,
        )
      case 'accessor': {
        const [first, ...rest] = parameters
        return (first ? this.#portAddress(first) : 0) + rest.reduce((sum, argument) => sum + this.operand(argument), 0)
      }
      case 'spec': {
        const weight = this.#bodies.specWeight(callee.node)
        if (weight === undefined) this.#faults.add(node, `${node.expression.getText()} of hw/spec is no straight line`)
        const fixed = parameters.filter(argument => this.#constants.of(argument) !== undefined).length
        return parameters.reduce((sum, argument) => sum + this.value(argument), 0) + Math.max((weight ?? 0) - fixed, 1)
      }
      case 'builtin':
        return this.#builtin(node, callee.name)
      case 'function': {
        if (!this.#bodies.counted(callee.node)) {
          this.#faults.add(
            node,
            `${node.expression.getText()} makes closures: it may only be called while software is set up`,
          )
        }
        if (this.#bodies.inlined(callee.node))
          return parameters.reduce((sum, argument) => sum + this.value(argument), this.#receiver(node))
        return WEIGHTS.call + this.#receiver(node) + this.#arguments(parameters)
      }
      case 'indirect':
        return WEIGHTS.call + WEIGHTS.indirect + this.#receiver(node) + this.#arguments(parameters)
      case 'unknown':
        break
    }
    this.#faults.add(node, callee.why)
    return 0
  }

  #receiver(node: ts.CallExpression): number {
    const callee = bare(node.expression)
    if (!ts.isPropertyAccessExpression(callee)) return 0
    return this.value(callee.expression) + (node.questionDotToken ? WEIGHTS.branch : 0)
  }

  /** Constants and variables have to be moved into place; what is computed is computed there. The port is no argument. */
  #arguments(parameters: readonly ts.Expression[]): number {
    return parameters.reduce((sum, argument) => {
      const node = bare(argument)
      if (this.#isPort(node)) return sum
      const moved = ts.isIdentifier(node) || this.#constants.of(node) !== undefined
      return sum + this.value(node) + (moved ? WEIGHTS.argument : 0)
    }, 0)
  }

  #isPort(node: ts.Expression): boolean {
    return ts.isIdentifier(node) && this.#program.checker.getTypeAtLocation(node).symbol?.name === 'HartPort'
  }

  #builtin(node: ts.CallExpression, name: string): number {
    const receiver = this.#receiver(node)
    const zeros = name === 'Math.clz32' && /&\s*-/.test(node.getText())
    if (zeros) return COUNT_TRAILING_ZEROS
    const known = builtin(name)
    if (known) {
      const inner = node.arguments.reduce(
        (sum, argument) => sum + (known.calls ? this.operand(argument) : this.value(argument)),
        0,
      )
      return (name.startsWith('Math.') ? 0 : receiver) + inner + known.weight
    }
    if (LOOPS.includes(writable(name))) {
      const [callback] = node.arguments
      if (!callback || !isFunction(bare(callback)))
        this.#faults.add(node, `${name} of a function that is not written in place`)
      return receiver + WEIGHTS.branch
    }
    const turns = LENGTH_LOOPS.find(([pattern]) => pattern.test(name))
    if (turns && node.arguments.length === 1 && isPath(node.expression)) {
      const array = (node.expression as ts.PropertyAccessExpression).expression.getText()
      this.#onArm(node, `${WEIGHTS.element} * (${array}.length >> ${turns[1]})`)
      return receiver + this.operand(node.arguments[0]) + WEIGHTS.branch
    }
    this.#faults.add(node, `${name} has no weight; write it out, or use a typed array`)
    return 0
  }

  #new(node: ts.NewExpression): number {
    const callee = this.#callees.callee(node)
    if (callee.kind !== 'function' && callee.kind !== 'accessor') {
      this.#faults.add(node, `\`new ${node.expression.getText()}\`: allocate it while the software is set up`)
      return 0
    }
    return WEIGHTS.allocation + WEIGHTS.call + this.#arguments(node.arguments ?? [])
  }

  #object(node: ts.ObjectLiteralExpression): number {
    return node.properties.reduce<number>((sum, property) => {
      if (ts.isPropertyAssignment(property)) return sum + this.operand(property.initializer) + WEIGHTS.store
      if (ts.isShorthandPropertyAssignment(property)) return sum + this.value(property.name) + WEIGHTS.store
      this.#faults.add(property, 'a spread or method in an object made at run time')
      return sum
    }, WEIGHTS.allocation)
  }

  #array(node: ts.ArrayLiteralExpression): number {
    return node.elements.reduce<number>((sum, element) => {
      if (ts.isSpreadElement(element)) this.#faults.add(element, 'spread')
      else return sum + this.operand(element) + WEIGHTS.store
      return sum
    }, WEIGHTS.allocation)
  }

  #refuseStrings(node: ts.BinaryExpression): void {
    const { checker } = this.#program
    for (const side of [node.left, node.right]) {
      const { flags } = checker.getTypeAtLocation(side)
      if (flags & ts.TypeFlags.StringLike) return this.#faults.add(node, 'string building')
      if (flags & ts.TypeFlags.BigIntLike) return this.#faults.add(node, 'bigint')
      if (flags & ts.TypeFlags.Any) return this.#faults.add(side, `${side.getText()} is of type any`)
    }
  }

  #refuseAny(node: ts.Expression): void {
    if (this.#program.checker.getTypeAtLocation(node).flags & ts.TypeFlags.Any)
      this.#faults.add(node, `${node.getText()} is of type any`)
  }

  #refuse(node: ts.Node): void {
    const names: Readonly<Partial<Record<ts.SyntaxKind, string>>> = {
      [ts.SyntaxKind.TemplateExpression]: 'string building',
      [ts.SyntaxKind.TaggedTemplateExpression]: 'string building',
      [ts.SyntaxKind.BigIntLiteral]: 'bigint',
      [ts.SyntaxKind.SpreadElement]: 'spread',
      [ts.SyntaxKind.ArrowFunction]: 'a closure made at run time',
      [ts.SyntaxKind.FunctionExpression]: 'a closure made at run time',
      [ts.SyntaxKind.AwaitExpression]: 'await',
      [ts.SyntaxKind.YieldExpression]: 'yield',
      [ts.SyntaxKind.TypeOfExpression]: 'typeof',
      [ts.SyntaxKind.DeleteExpression]: 'delete',
      [ts.SyntaxKind.RegularExpressionLiteral]: 'a regular expression',
    }
    this.#faults.add(node, names[node.kind] ?? ts.SyntaxKind[node.kind])
  }
}

/** A name, or a property of one: it can be written twice. */
function isPath(node: ts.Expression): boolean {
  if (ts.isPropertyAccessExpression(node)) return isPath(node.expression)
  return ts.isIdentifier(node) || node.kind === ts.SyntaxKind.ThisKeyword
}

/** Made of variables, constants and arithmetic alone. */
function isPlain(node: ts.Expression): boolean {
  const inner = bare(node)
  if (ts.isBinaryExpression(inner))
    return isPlain(inner.left) && isPlain(inner.right) && !isAssignment(inner.operatorToken.kind)
  return ts.isIdentifier(inner) || ts.isNumericLiteral(inner)
}

function isComparison(kind: ts.SyntaxKind): boolean {
  return (
    kind === ts.SyntaxKind.EqualsEqualsEqualsToken ||
    kind === ts.SyntaxKind.ExclamationEqualsEqualsToken ||
    (kind >= ts.SyntaxKind.LessThanToken &&
      kind <= ts.SyntaxKind.GreaterThanEqualsToken &&
      kind !== ts.SyntaxKind.LessThanSlashToken)
  )
}

function isAssignment(kind: ts.SyntaxKind): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment
}

function isImmediate(value: number): boolean {
  return value >= -2048 && value < 2048
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value))
}
