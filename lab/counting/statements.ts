/**
 * Divides a function's body into stretches that run as a whole, and weighs each. A stretch ends where control may
 * leave it: behind a statement that can return, break or continue.
 */
import ts from 'typescript'
import { bare, isFunction, type Callees, type FunctionNode } from './callees.ts'
import type { Faults } from './faults.ts'
import { JUMP_TABLE_CASES, WEIGHTS } from './weights.ts'
import type { Weigher } from './expressions.ts'

/** Where a stretch's weight is to be added: before a statement, at the start of a body that is not a block, or of an empty block. */
export type StretchSink = (place: ts.Node, weight: number) => void

export class StatementWeigher {
  readonly #weigher: Weigher
  readonly #callees: Callees
  readonly #faults: Faults
  readonly #onStretch: StretchSink
  #inlined = false
  #returnsBoolean = false

  constructor(weigher: Weigher, callees: Callees, faults: Faults, onStretch: StretchSink) {
    this.#weigher = weigher
    this.#callees = callees
    this.#faults = faults
    this.#onStretch = onStretch
  }

  /** Weighs a body; `prologue` and the epilogue are charged from the first statement that calls somebody on. */
  body(
    node: FunctionNode,
    frame: number,
    frameFrom: ts.Node | undefined,
    inlined: boolean,
    returnsBoolean: boolean,
    perCall: number,
  ): void {
    this.#inlined = inlined
    this.#returnsBoolean = returnsBoolean
    const body = node.body!
    const defaults = node.parameters.reduce(
      (sum, parameter) =>
        sum +
        (parameter.initializer
          ? WEIGHTS.branch + this.#weigher.operand(parameter.initializer)
          : this.#binding(parameter.name)),
      0,
    )
    if (!ts.isBlock(body)) {
      this.#onStretch(body, this.#returned(body) + frame + perCall + defaults)
      return
    }
    const { statements } = body
    const at = frameStatement(statements, frameFrom)
    if (at > 0) this.#list(statements, body, perCall + defaults, at, frame)
    else this.#list(statements, body, perCall + defaults + frame)
  }

  /** `before` is added to the first stretch; `extra` to the one that begins at statement number `extraAt`. */
  #list(statements: readonly ts.Statement[], parent: ts.Node, before: number, extraAt = -1, extra = 0): void {
    let weight = before
    let place: ts.Node = statements[0] ?? parent
    statements.forEach((statement, index) => {
      if (index === extraAt) {
        this.#emit(place, weight)
        place = statement
        weight = extra
      }
      weight += this.#statement(statement)
      if (leaves(statement)) {
        this.#emit(place, weight)
        weight = 0
        place = statements[index + 1] ?? parent
      }
    })
    if (weight > 0 && place !== parent) this.#emit(place, weight)
    else if (weight > 0) this.#onStretch(parent, weight)
  }

  #emit(place: ts.Node, weight: number): void {
    if (weight > 0) this.#onStretch(place, weight)
  }

  /** A statement that hangs below another: counted by itself, `more` with it. */
  #below(statement: ts.Statement, more: number): void {
    this.#weigher.places.addresses.within(() => this.#inScope(statement, more))
  }

  #inScope(statement: ts.Statement, more: number): void {
    if (ts.isBlock(statement)) this.#list(statement.statements, statement, more)
    else {
      const weight = more + this.#statement(statement)
      if (weight > 0) this.#onStretch(statement, weight)
    }
  }

  /** What a statement adds to its stretch; what hangs below it is counted there. */
  #statement(statement: ts.Statement): number {
    const weigher = this.#weigher
    switch (statement.kind) {
      case ts.SyntaxKind.VariableStatement:
        return this.#declarations((statement as ts.VariableStatement).declarationList)
      case ts.SyntaxKind.ExpressionStatement:
        return weigher.value((statement as ts.ExpressionStatement).expression)
      case ts.SyntaxKind.ReturnStatement: {
        const { expression } = statement as ts.ReturnStatement
        return expression ? this.#returned(expression) : 0
      }
      case ts.SyntaxKind.IfStatement:
        return this.#if(statement as ts.IfStatement)
      case ts.SyntaxKind.ForStatement:
        return this.#for(statement as ts.ForStatement)
      case ts.SyntaxKind.ForOfStatement:
        return this.#forOf(statement as ts.ForOfStatement)
      case ts.SyntaxKind.WhileStatement: {
        const { expression, statement: below } = statement as ts.WhileStatement
        return this.#loop(
          () => this.#condition(expression),
          () => 0,
          below,
        )
      }
      case ts.SyntaxKind.DoStatement: {
        const { expression, statement: below } = statement as ts.DoStatement
        weigher.loops += 1
        this.#below(below, weigher.condition(expression))
        weigher.loops -= 1
        return 0
      }
      case ts.SyntaxKind.SwitchStatement:
        return this.#switch(statement as ts.SwitchStatement)
      case ts.SyntaxKind.Block:
        this.#list((statement as ts.Block).statements, statement, 0)
        return 0
      case ts.SyntaxKind.LabeledStatement:
        return this.#statement((statement as ts.LabeledStatement).statement)
      case ts.SyntaxKind.BreakStatement:
      case ts.SyntaxKind.ContinueStatement:
      case ts.SyntaxKind.EmptyStatement:
      // A panic: what it says is off the record.
      case ts.SyntaxKind.ThrowStatement:
      case ts.SyntaxKind.FunctionDeclaration:
      case ts.SyntaxKind.InterfaceDeclaration:
      case ts.SyntaxKind.TypeAliasDeclaration:
        return 0
      case ts.SyntaxKind.TryStatement:
        this.#faults.add(statement, 'try: exceptions as control flow')
        return 0
    }
    this.#faults.add(statement, ts.SyntaxKind[statement.kind])
    return 0
  }

  #returned(expression: ts.Expression): number {
    // A predicate that is inlined branches where it compares.
    if (this.#inlined && this.#returnsBoolean) return this.#weigher.condition(expression)
    return this.#inlined ? this.#weigher.value(expression) : this.#weigher.operand(expression)
  }

  #declarations(list: ts.VariableDeclarationList): number {
    return list.declarations.reduce((sum, declaration) => {
      if (!declaration.initializer) return sum
      const value = isFunction(bare(declaration.initializer)) ? 0 : this.#weigher.value(declaration.initializer)
      return sum + value + this.#binding(declaration.name)
    }, 0)
  }

  /** Each name taken out of an object is a load. */
  #binding(name: ts.BindingName): number {
    if (ts.isIdentifier(name)) return 0
    return name.elements.reduce((sum, element) => {
      if (!ts.isBindingElement(element)) return sum
      if (element.dotDotDotToken) this.#faults.add(element, 'spread')
      if (this.#weigher.places.isPort(element.name)) return sum
      const initial = element.initializer ? WEIGHTS.branch + this.#weigher.operand(element.initializer) : 0
      return sum + WEIGHTS.load + initial + this.#binding(element.name)
    }, 0)
  }

  #condition(expression: ts.Expression): number {
    return bare(expression).kind === ts.SyntaxKind.TrueKeyword ? WEIGHTS.jump : this.#weigher.condition(expression)
  }

  #if(statement: ts.IfStatement): number {
    const weight = this.#weigher.condition(statement.expression)
    this.#below(statement.thenStatement, 0)
    const otherwise = statement.elseStatement
    // Either arm is laid out of line, and jumps back.
    if (otherwise) this.#below(otherwise, leaves(statement.thenStatement) ? 0 : WEIGHTS.jump)
    return weight
  }

  #for(statement: ts.ForStatement): number {
    const { initializer, condition, incrementor, statement: below } = statement
    let weight = 0
    const variables: ts.Symbol[] = []
    if (initializer && ts.isVariableDeclarationList(initializer)) {
      weight += initializer.declarations.reduce(
        (sum, { initializer: first }) => sum + (first ? this.#weigher.operand(first) : 0),
        0,
      )
      for (const { name } of initializer.declarations) {
        const symbol = this.#callees.symbol(name)
        if (symbol) variables.push(symbol)
      }
    } else if (initializer) weight += this.#weigher.value(initializer)
    for (const variable of variables) this.#weigher.places.loopVariables.add(variable)
    weight += this.#loop(
      () => (condition ? this.#condition(condition) : WEIGHTS.jump),
      () => (incrementor ? this.#weigher.value(incrementor) : 0),
      below,
    )
    for (const variable of variables) this.#weigher.places.loopVariables.delete(variable)
    return weight
  }

  /** The condition once before the loop; each turn the body, the step and the condition. */
  #loop(condition: () => number, step: () => number, below: ts.Statement): number {
    for (const name of assignedIn(below)) this.#weigher.places.addresses.assigned(name)
    const before = condition()
    this.#weigher.loops += 1
    this.#below(below, step() + before)
    this.#weigher.loops -= 1
    return before
  }

  #forOf(statement: ts.ForOfStatement): number {
    const { expression, initializer, statement: below } = statement
    const weight = this.#weigher.value(expression) + WEIGHTS.branch
    if (!this.#weigher.places.isArray(expression)) this.#faults.add(expression, 'iteration over what is no array')
    const binding = ts.isVariableDeclarationList(initializer) ? this.#binding(initializer.declarations[0].name) : 0
    this.#weigher.loops += 1
    this.#below(below, WEIGHTS.element + binding)
    this.#weigher.loops -= 1
    return weight
  }

  #switch(statement: ts.SwitchStatement): number {
    const { clauses } = statement.caseBlock
    const cases = clauses.filter(ts.isCaseClause).length
    const dispatch = cases >= JUMP_TABLE_CASES ? WEIGHTS.jumpTable : Math.ceil((cases + 1) / 2) * WEIGHTS.case
    for (const clause of clauses) this.#weigher.places.addresses.within(() => this.#list(clause.statements, clause, 0))
    return this.#weigher.value(statement.expression) + dispatch
  }
}

/** The statement that builds the frame: shrink-wrapping leaves it out on the ways that return before the first call. */
function frameStatement(statements: readonly ts.Statement[], from: ts.Node | undefined): number {
  if (!from) return 0
  const at = statements.findIndex(statement => statement.pos <= from.pos && from.end <= statement.end)
  return at > 0 && statements.slice(0, at).some(statement => ts.isIfStatement(statement) && leaves(statement)) ? at : 0
}

/** Where a body is entered, and where its frame is built: a statement, or what it is an expression of. */
export function framePlaces(body: ts.ConciseBody, from: ts.Node | undefined): readonly [call: ts.Node, frame: ts.Node] {
  if (!ts.isBlock(body)) return [body, body]
  const { statements } = body
  const first: ts.Node = statements[0] ?? body
  return [first, statements[frameStatement(statements, from)] ?? first]
}

/** The variables that a loop's body sets. */
function assignedIn(node: ts.Node): readonly string[] {
  const names: string[] = []
  const walk = (inner: ts.Node): void => {
    if (
      ts.isBinaryExpression(inner) &&
      ts.isIdentifier(inner.left) &&
      inner.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
      inner.operatorToken.kind <= ts.SyntaxKind.LastAssignment
    )
      names.push(inner.left.text)
    if ((ts.isPrefixUnaryExpression(inner) || ts.isPostfixUnaryExpression(inner)) && ts.isIdentifier(inner.operand))
      names.push(inner.operand.text)
    ts.forEachChild(inner, walk)
  }
  walk(node)
  return names
}

/** True if control may leave a statement other than at its end. */
export function leaves(statement: ts.Node): boolean {
  let found = false
  const walk = (node: ts.Node, loops: boolean): void => {
    if (found || isFunction(node) || ts.isExpression(node)) return
    if (ts.isReturnStatement(node) || ts.isThrowStatement(node)) found = true
    else if (ts.isBreakOrContinueStatement(node)) found ||= !loops || node.label !== undefined
    else {
      const inner = loops || ts.isIterationStatement(node, false) || ts.isSwitchStatement(node)
      ts.forEachChild(node, child => walk(child, inner))
    }
  }
  walk(statement, false)
  return found
}
