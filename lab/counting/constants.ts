/** What a compiler knows: numbers written down, and tables that never change. */
import ts from 'typescript'
import { bare, type Callees } from './callees.ts'

/** The value of a constant expression; 'table' if it is constant but of a table or string: a number that fits nowhere in particular. */
export type Constant = number | 'table'

const OPERATIONS: Readonly<Partial<Record<ts.SyntaxKind, (a: number, b: number) => number>>> = {
  [ts.SyntaxKind.PlusToken]: (a, b) => a + b,
  [ts.SyntaxKind.MinusToken]: (a, b) => a - b,
  [ts.SyntaxKind.AsteriskToken]: (a, b) => a * b,
  [ts.SyntaxKind.SlashToken]: (a, b) => a / b,
  [ts.SyntaxKind.PercentToken]: (a, b) => a % b,
  [ts.SyntaxKind.AsteriskAsteriskToken]: (a, b) => a ** b,
  [ts.SyntaxKind.BarToken]: (a, b) => a | b,
  [ts.SyntaxKind.AmpersandToken]: (a, b) => a & b,
  [ts.SyntaxKind.CaretToken]: (a, b) => a ^ b,
  [ts.SyntaxKind.LessThanLessThanToken]: (a, b) => a << b,
  [ts.SyntaxKind.GreaterThanGreaterThanToken]: (a, b) => a >> b,
  [ts.SyntaxKind.GreaterThanGreaterThanGreaterThanToken]: (a, b) => a >>> b,
}

export class Constants {
  readonly #callees: Callees
  readonly #known = new Map<ts.Node, Constant | undefined>()

  constructor(callees: Callees) {
    this.#callees = callees
  }

  /** Undefined if the compiler cannot know it. */
  of(expression: ts.Expression): Constant | undefined {
    if (this.#known.has(expression)) return this.#known.get(expression)
    this.#known.set(expression, undefined)
    const value = this.#find(bare(expression))
    this.#known.set(expression, value)
    return value
  }

  #find(node: ts.Expression): Constant | undefined {
    if (ts.isNumericLiteral(node)) return Number(node.text.replaceAll('_', ''))
    if (ts.isStringLiteralLike(node)) return 'table'
    switch (node.kind) {
      case ts.SyntaxKind.TrueKeyword:
        return 1
      case ts.SyntaxKind.FalseKeyword:
      case ts.SyntaxKind.NullKeyword:
        return 0
    }
    if (ts.isIdentifier(node)) return node.text === 'undefined' ? 0 : this.#named(node)
    if (ts.isPropertyAccessExpression(node)) return this.#isTable(node) ? this.#member(node) : undefined
    if (ts.isElementAccessExpression(node)) {
      return this.#isTable(node.expression) && this.of(node.argumentExpression) !== undefined ? 'table' : undefined
    }
    if (ts.isPrefixUnaryExpression(node)) return this.#unary(node)
    if (ts.isBinaryExpression(node)) return this.#binary(node)
    if (ts.isCallExpression(node) && this.#callees.callee(node).kind === 'spec') {
      return node.arguments.every(argument => this.of(argument) !== undefined) ? 'table' : undefined
    }
    return undefined
  }

  #named(node: ts.Identifier): Constant | undefined {
    const declaration = this.#callees.declaration(node)
    if (declaration && ts.isBindingElement(declaration) && isModuleConst(declaration)) return 'table'
    if (!declaration || !ts.isVariableDeclaration(declaration) || !isModuleConst(declaration)) return undefined
    if (!declaration.initializer) return 'table'
    return this.of(declaration.initializer) ?? (isReference(declaration.initializer) ? undefined : 'table')
  }

  #unary(node: ts.PrefixUnaryExpression): Constant | undefined {
    const value = this.of(node.operand)
    if (typeof value !== 'number') return value
    if (node.operator === ts.SyntaxKind.MinusToken) return -value
    if (node.operator === ts.SyntaxKind.TildeToken) return ~value
    return node.operator === ts.SyntaxKind.PlusToken ? value : 'table'
  }

  #binary(node: ts.BinaryExpression): Constant | undefined {
    const operation = OPERATIONS[node.operatorToken.kind]
    const left = operation && this.of(node.left)
    const right = left !== undefined ? this.of(node.right) : undefined
    if (!operation || left === undefined || right === undefined) return undefined
    return typeof left === 'number' && typeof right === 'number' ? operation(left, right) : 'table'
  }

  /** A member of a table written down as an object literal, or somewhere in a table made by hw/spec. */
  #member(node: ts.PropertyAccessExpression): Constant {
    const declaration = this.#callees.declaration(node.name)
    if (declaration && ts.isPropertyAssignment(declaration)) return this.of(declaration.initializer) ?? 'table'
    return 'table'
  }

  /** True for a module's `const` table and whatever hangs below it. */
  #isTable(node: ts.Expression): boolean {
    const root = bare(node)
    if (ts.isPropertyAccessExpression(root)) return this.#isTable(root.expression)
    if (ts.isElementAccessExpression(root))
      return this.#isTable(root.expression) && this.of(root.argumentExpression) !== undefined
    return ts.isIdentifier(root) && this.#named(root) !== undefined
  }
}

/** A `const` of a module's top level, destructured ones included. */
export function isModuleConst(declaration: ts.Declaration): boolean {
  return (ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const) !== 0 && isModuleLevel(declaration)
}

export function isModuleLevel(declaration: ts.Node): boolean {
  let outer = declaration.parent
  while (
    ts.isVariableDeclarationList(outer) ||
    ts.isVariableStatement(outer) ||
    ts.isObjectBindingPattern(outer) ||
    ts.isArrayBindingPattern(outer) ||
    ts.isVariableDeclaration(outer) ||
    ts.isBindingElement(outer)
  )
    outer = outer.parent
  return ts.isSourceFile(outer)
}

function isReference(node: ts.Expression): boolean {
  return ts.isIdentifier(bare(node))
}
