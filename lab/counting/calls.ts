/** What calls weigh. */
import ts from 'typescript'
import { bare, isFunction, type Callees, type FunctionNode } from './callees.ts'
import type { Constants } from './constants.ts'
import type { Faults } from './faults.ts'
import type { Values } from './places.ts'
import type { SourceProgram } from './program.ts'
import { builtin, COUNT_TRAILING_ZEROS, LENGTH_LOOPS, LOOPS, writable, WEIGHTS } from './weights.ts'

/** What has to be known of functions. */
export interface Bodies {
  /** True if calls of it cost nothing beyond its body. */
  inlined(node: FunctionNode): boolean
  counted(node: FunctionNode): boolean
  /** The weight of a straight-line function of hw/spec, or undefined if it is none. */
  specWeight(node: FunctionNode): number | undefined
}

/** Told of expressions that are to be counted apart; a weight in words is an expression of their scope. */
export type ArmSink = (arm: ts.Expression, weight: number | string) => void

export class CallWeigher {
  readonly #program: SourceProgram
  readonly #callees: Callees
  readonly #constants: Constants
  readonly #bodies: Bodies
  readonly #faults: Faults
  readonly #onArm: ArmSink
  readonly #weigher: Values

  constructor(
    program: SourceProgram,
    callees: Callees,
    constants: Constants,
    bodies: Bodies,
    faults: Faults,
    onArm: ArmSink,
    weigher: Values,
  ) {
    this.#program = program
    this.#callees = callees
    this.#constants = constants
    this.#bodies = bodies
    this.#faults = faults
    this.#onArm = onArm
    this.#weigher = weigher
  }

  isInlined(node: ts.CallExpression): boolean {
    const callee = this.#callees.callee(node)
    return (callee.kind === 'function' && this.#bodies.inlined(callee.node)) || callee.kind === 'spec'
  }

  call(node: ts.CallExpression): number {
    const callee = this.#callees.callee(node)
    const parameters = node.arguments
    switch (callee.kind) {
      case 'off the record':
        return 0
      case 'port':
        return parameters.reduce(
          (sum, argument, index) => sum + (index === 0 ? this.#portAddress(argument) : this.#weigher.operand(argument)),
          0,
        )
      case 'accessor': {
        const [first, ...rest] = parameters
        return (
          (first ? this.#portAddress(first) : 0) +
          rest.reduce((sum, argument) => sum + this.#weigher.operand(argument), 0)
        )
      }
      case 'spec': {
        const weight = this.#bodies.specWeight(callee.node)
        if (weight === undefined) this.#faults.add(node, `${node.expression.getText()} of hw/spec is no straight line`)
        const fixed = parameters.filter(argument => this.#constants.of(argument) !== undefined).length
        return (
          parameters.reduce((sum, argument) => sum + this.#weigher.value(argument), 0) +
          Math.max((weight ?? 0) - fixed, 1)
        )
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
          return parameters.reduce((sum, argument) => sum + this.#weigher.value(argument), this.#receiver(node))
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
    return this.#weigher.value(callee.expression) + (node.questionDotToken ? WEIGHTS.branch : 0)
  }

  /** Constants and variables have to be moved into place; what is computed is computed there. The port is no argument. */
  #arguments(parameters: readonly ts.Expression[]): number {
    return parameters.reduce((sum, argument) => {
      const node = bare(argument)
      if (this.#isPort(node)) return sum
      const moved = ts.isIdentifier(node) || this.#constants.of(node) !== undefined
      return sum + this.#weigher.value(node) + (moved ? WEIGHTS.argument : 0)
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
        (sum, argument) => sum + (known.calls ? this.#weigher.operand(argument) : this.#weigher.value(argument)),
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
      return receiver + this.#weigher.operand(node.arguments[0]) + WEIGHTS.branch
    }
    this.#faults.add(node, `${name} has no weight; write it out, or use a typed array`)
    return 0
  }

  construct(node: ts.NewExpression): number {
    const callee = this.#callees.callee(node)
    if (callee.kind !== 'function' && callee.kind !== 'accessor') {
      this.#faults.add(node, `\`new ${node.expression.getText()}\`: allocate it while the software is set up`)
      return 0
    }
    return WEIGHTS.allocation + WEIGHTS.call + this.#arguments(node.arguments ?? [])
  }

  /** An address given to the port: a constant that is added to it is the instruction's offset. */
  #portAddress(node: ts.Expression): number {
    const inner = bare(node)
    if (ts.isBinaryExpression(inner) && inner.operatorToken.kind === ts.SyntaxKind.PlusToken) {
      if (this.#constants.of(inner.right) !== undefined) return this.#portAddress(inner.left)
      if (this.#constants.of(inner.left) !== undefined) return this.#portAddress(inner.right)
    }
    return this.#weigher.operand(inner)
  }
}

/** A name, or a property of one: it can be written twice. */
function isPath(node: ts.Expression): boolean {
  if (ts.isPropertyAccessExpression(node)) return isPath(node.expression)
  return ts.isIdentifier(node) || node.kind === ts.SyntaxKind.ThisKeyword
}
