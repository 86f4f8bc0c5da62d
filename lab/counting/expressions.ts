/** What expressions weigh. Arms that may not run and weigh enough are counted apart, where they run. */
import ts from 'typescript'
import { bare, type Callees } from './callees.ts'
import { CallWeigher, type ArmSink, type Bodies } from './calls.ts'
import type { Constants } from './constants.ts'
import type { Faults } from './faults.ts'
import { isAssignment, PlaceWeigher, type Values } from './places.ts'
import type { SourceProgram } from './program.ts'
import { WEIGHTS } from './weights.ts'

/** Arms lighter than this are charged whether they run or not. */
const HEAVY_ARM = 3

export class Weigher implements Values {
  readonly #program: SourceProgram
  readonly #constants: Constants
  readonly #faults: Faults
  readonly #onArm: ArmSink
  readonly #calls: CallWeigher
  readonly places: PlaceWeigher
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
    this.#constants = constants
    this.#faults = faults
    this.#onArm = onArm
    this.#calls = new CallWeigher(program, callees, constants, bodies, faults, onArm, this)
    this.places = new PlaceWeigher(program, callees, constants, faults, this)
  }

  /** To compute a value into some register. Constants weigh nothing here: whoever uses them says what they need. */
  value(expression: ts.Expression): number {
    const node = bare(expression)
    if (this.#constants.of(node) !== undefined) return 0
    switch (node.kind) {
      case ts.SyntaxKind.Identifier:
        return this.places.identifier(node as ts.Identifier)
      case ts.SyntaxKind.ThisKeyword:
      case ts.SyntaxKind.SuperKeyword:
      case ts.SyntaxKind.OmittedExpression:
        return 0
      case ts.SyntaxKind.PropertyAccessExpression:
        return this.places.property(node as ts.PropertyAccessExpression)
      case ts.SyntaxKind.ElementAccessExpression:
        return this.places.element(node as ts.ElementAccessExpression) + WEIGHTS.load
      case ts.SyntaxKind.BinaryExpression:
        return this.#binary(node as ts.BinaryExpression)
      case ts.SyntaxKind.PrefixUnaryExpression:
        return this.#prefix(node as ts.PrefixUnaryExpression)
      case ts.SyntaxKind.PostfixUnaryExpression:
        return this.#step((node as ts.PostfixUnaryExpression).operand)
      case ts.SyntaxKind.ConditionalExpression:
        return this.#conditional(node as ts.ConditionalExpression)
      case ts.SyntaxKind.CallExpression:
        return this.#calls.call(node as ts.CallExpression)
      case ts.SyntaxKind.NewExpression:
        return this.#calls.construct(node as ts.NewExpression)
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
            this.places.addresses.within(() => this.condition(node.right)),
          )
        )
      }
      if (isComparison(kind)) return this.#compared(node) + WEIGHTS.branch
    }
    // An inlined predicate has branched already.
    if (ts.isCallExpression(node) && this.#calls.isInlined(node)) return this.value(node)
    return this.value(node) + WEIGHTS.branch
  }

  #binary(node: ts.BinaryExpression): number {
    const { kind } = node.operatorToken
    if (kind === ts.SyntaxKind.EqualsToken) return this.operand(node.right) + this.places.stored(node.left)
    if (kind === ts.SyntaxKind.CommaToken) return this.value(node.left) + this.value(node.right)
    if (isAssignment(kind)) return this.#compound(node)
    if (kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken) {
      return (
        this.condition(node.left) +
        this.#arm(
          node.right,
          this.places.addresses.within(() => this.value(node.right)),
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
    return this.value(node.right) + operation + this.places.stored(node.left) + this.places.reloaded(node.left)
  }

  #step(operand: ts.Expression): number {
    return WEIGHTS.operation + this.places.stored(operand) + this.places.reloaded(operand)
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
    const then = this.places.addresses.within(() => this.operand(node.whenTrue))
    const otherwise = this.places.addresses.within(() => this.operand(node.whenFalse))
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

function isComparison(kind: ts.SyntaxKind): boolean {
  return (
    kind === ts.SyntaxKind.EqualsEqualsEqualsToken ||
    kind === ts.SyntaxKind.ExclamationEqualsEqualsToken ||
    (kind >= ts.SyntaxKind.LessThanToken &&
      kind <= ts.SyntaxKind.GreaterThanEqualsToken &&
      kind !== ts.SyntaxKind.LessThanSlashToken)
  )
}

function isImmediate(value: number): boolean {
  return value >= -2048 && value < 2048
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value))
}
