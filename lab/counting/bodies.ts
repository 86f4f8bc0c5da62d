/** What a function's calls cost beyond its body: whether it is inlined, and what its frame saves. */
import ts from 'typescript'
import { bare, isFunction, type Callees, type FunctionNode } from './callees.ts'
import { isModuleLevel, type Constants } from './constants.ts'
import type { Bodies } from './calls.ts'
import { Weigher } from './expressions.ts'
import { Faults } from './faults.ts'
import type { CountedFunction } from './functions.ts'
import type { SourceProgram } from './program.ts'
import { StatementWeigher } from './statements.ts'
import { builtin, HEADER_LINES, INLINED_SIZE, MOST_SAVED, PORT_ROUTINES, TRACED_BUILD, WEIGHTS } from './weights.ts'

export interface Frame {
  /** Instructions of prologue and epilogue. */
  readonly weight: number
  /** The first call: shrink-wrapping builds the frame no earlier. */
  readonly from: ts.Node | undefined
  /** What a traced build adds: at each call, and where the frame is built. */
  readonly traced: { readonly call: number; readonly frame: number }
}

/** How deep calls of inlined functions are looked into. */
const DEPTH = 8

export class FunctionBodies implements Bodies {
  readonly #program: SourceProgram
  readonly #callees: Callees
  readonly #constants: Constants
  readonly #functions: ReadonlyMap<FunctionNode, CountedFunction>
  readonly #inlined = new Map<FunctionNode, boolean>()
  readonly #sizes = new Map<FunctionNode, number>()

  constructor(
    program: SourceProgram,
    callees: Callees,
    constants: Constants,
    functions: ReadonlyMap<FunctionNode, CountedFunction>,
  ) {
    this.#program = program
    this.#callees = callees
    this.#constants = constants
    this.#functions = functions
  }

  counted(node: FunctionNode): boolean {
    return this.#functions.has(node)
  }

  /** As gcc -O2 does: what has one caller in its own file, or hardly grows its callers; never what is reached by pointer or calls itself. */
  inlined(node: FunctionNode): boolean {
    const known = this.#inlined.get(node)
    if (known !== undefined) return known
    // While it is being decided, a function that calls itself is not inlined.
    this.#inlined.set(node, false)
    const decided = this.#decide(node)
    this.#inlined.set(node, decided)
    return decided
  }

  #decide(node: FunctionNode): boolean {
    const counted = this.#functions.get(node)
    if (!counted) return false
    if (counted.accessor || counted.loopBody) return true
    // Without a caller in the program it is called from outside it.
    if (counted.escapes || counted.sites === 0 || this.#callsItself(node)) return false
    if (counted.sites === 1 && !counted.calledFromElsewhere && !isExported(node)) return true
    if (counted.calledFromElsewhere && linesOf(node) > HEADER_LINES) return false
    return !containsLoop(node) && this.#size(node) <= INLINED_SIZE
  }

  specWeight(node: FunctionNode): number | undefined {
    return containsLoop(node) ? undefined : this.#size(node)
  }

  frame(node: FunctionNode): Frame {
    if (this.inlined(node)) return { weight: 0, from: undefined, traced: { call: 0, frame: 0 } }
    const calls = this.#calls(node)
    const [from] = calls
    const call = TRACED_BUILD.entry + (this.#functions.get(node)?.sites === 0 ? 0 : TRACED_BUILD.farCall)
    if (!from) return { weight: WEIGHTS.return, from: undefined, traced: { call, frame: TRACED_BUILD.leafFrame } }
    const saved = Math.min(this.#liveAcross(node, calls), MOST_SAVED)
    const weight = WEIGHTS.return + WEIGHTS.frame + saved * WEIGHTS.saved
    return { weight, from, traced: { call, frame: TRACED_BUILD.framePointer } }
  }

  /** Instructions of the whole body, each stretch once. */
  #size(node: FunctionNode): number {
    const known = this.#sizes.get(node)
    if (known !== undefined) return known
    let size = 0
    const add = (_: ts.Node, weight: number | string): void => {
      size += typeof weight === 'number' ? weight : INLINED_SIZE
    }
    const faults = new Faults()
    const weigher = new Weigher(this.#program, this.#callees, this.#constants, this, faults, add)
    new StatementWeigher(weigher, this.#callees, faults, add).body(node, 0, undefined, true, false, 0)
    this.#sizes.set(node, size)
    return size
  }

  #callsItself(node: FunctionNode): boolean {
    let found = false
    const walk = (inner: ts.Node): void => {
      if (ts.isCallExpression(inner)) {
        const callee = this.#callees.callee(inner)
        if (callee.kind === 'function' && callee.node === node) found = true
      }
      ts.forEachChild(inner, walk)
    }
    walk(node.body!)
    return found
  }

  /** The calls in a body that remain calls, in order. */
  #calls(node: FunctionNode): readonly ts.Node[] {
    const calls: ts.Node[] = []
    const walk = (inner: ts.Node): void => {
      if (isFunction(inner) && !this.#functions.get(inner)?.loopBody) return
      if (ts.isCallExpression(inner) && this.#remains(inner, DEPTH)) calls.push(inner)
      if (ts.isNewExpression(inner)) calls.push(inner)
      if (!ts.isThrowStatement(inner)) ts.forEachChild(inner, walk)
    }
    walk(node.body!)
    return calls
  }

  #remains(call: ts.CallExpression, depth: number): boolean {
    const callee = this.#callees.callee(call)
    switch (callee.kind) {
      case 'function': {
        if (!this.inlined(callee.node)) return true
        if (depth === 0) return true
        let found = false
        const walk = (inner: ts.Node): void => {
          if (found || isFunction(inner)) return
          if (ts.isCallExpression(inner) && this.#remains(inner, depth - 1)) found = true
          else ts.forEachChild(inner, walk)
        }
        walk(callee.node.body!)
        return found
      }
      case 'port':
        return PORT_ROUTINES.includes(callee.operation)
      case 'builtin':
        return builtin(callee.name)?.calls === true
      case 'indirect':
        return true
      default:
        return false
    }
  }

  /** How many variables are set before some call and used after it. */
  #liveAcross(node: FunctionNode, calls: readonly ts.Node[]): number {
    const lives = new Map<ts.Symbol | 'captured', { from: number; to: number; declared: ts.Node }>()
    const walk = (inner: ts.Node): void => {
      if (ts.isIdentifier(inner)) this.#note(inner, node, lives)
      if (!ts.isThrowStatement(inner)) ts.forEachChild(inner, walk)
    }
    node.parameters.forEach(walk)
    walk(node.body!)
    let live = 0
    for (const { from, to, declared } of lives.values()) {
      if (calls.some(call => from < call.pos && (to > call.end || sharesLoop(call, declared, node)))) live += 1
    }
    return live
  }

  #note(
    name: ts.Identifier,
    node: FunctionNode,
    lives: Map<ts.Symbol | 'captured', { from: number; to: number; declared: ts.Node }>,
  ): void {
    const symbol = this.#callees.symbol(name)
    const declaration = symbol?.declarations?.[0]
    if (!symbol || !declaration) return
    if (!ts.isVariableDeclaration(declaration) && !ts.isParameter(declaration) && !ts.isBindingElement(declaration))
      return
    if (isModuleLevel(declaration) || this.#constants.of(name) !== undefined) return
    if (this.#program.checker.getTypeOfSymbol(symbol).symbol?.name === 'HartPort') return
    const local = declaration.pos >= node.pos && declaration.end <= node.end
    // All that is captured hangs on one pointer.
    const key = local ? symbol : 'captured'
    const life = lives.get(key)
    if (!life)
      lives.set(key, { from: local ? declaration.pos : node.pos, to: name.end, declared: local ? declaration : node })
    else if (name.end > life.to) life.to = name.end
  }
}

/** True if a call stands in a loop around which the variable was declared: it is needed in the next turn. */
function sharesLoop(call: ts.Node, declared: ts.Node, within: FunctionNode): boolean {
  for (let outer = call.parent; outer && outer !== within; outer = outer.parent) {
    if (ts.isIterationStatement(outer, false))
      return !(declared.pos >= outer.pos && declared.end <= outer.end) || ts.isForStatement(outer)
  }
  return false
}

/** Lines of a body: its statements, those below others too. */
function linesOf({ body }: FunctionNode): number {
  if (!body || !ts.isBlock(body)) return 1
  let lines = 0
  const walk = (node: ts.Node): void => {
    if (isFunction(node)) return
    if (ts.isStatement(node) && !ts.isBlock(node)) lines += 1
    ts.forEachChild(node, walk)
  }
  body.statements.forEach(walk)
  return lines
}

function containsLoop(node: FunctionNode): boolean {
  let found = false
  const walk = (inner: ts.Node): void => {
    if (ts.isIterationStatement(inner, false)) found = true
    else ts.forEachChild(inner, walk)
  }
  walk(node.body!)
  return found
}

function isExported(node: FunctionNode): boolean {
  const holder = ts.isArrowFunction(node) || ts.isFunctionExpression(node) ? bareParent(node) : node
  if (ts.isMethodDeclaration(holder) || ts.isConstructorDeclaration(holder)) {
    const name = ts.getNameOfDeclaration(holder)
    return !(name && ts.isPrivateIdentifier(name))
  }
  return (
    ts.canHaveModifiers(holder) &&
    (ts.getModifiers(holder)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false)
  )
}

/** The statement of `export const f = () => …`. */
function bareParent(node: FunctionNode): ts.Node {
  let holder: ts.Node = node.parent
  while (
    ts.isVariableDeclaration(holder) ||
    ts.isVariableDeclarationList(holder) ||
    (ts.isExpression(holder) && bare(holder) !== holder)
  ) {
    holder = holder.parent
  }
  return holder
}
