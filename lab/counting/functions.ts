/**
 * Which functions are counted. Set-up is not: module-level code, functions that make closures (they build software
 * before its machine is switched on), and what only they call. Everything else is, from the functions that escape as
 * values (entries, callbacks, methods) along the calls.
 */
import ts from 'typescript'
import { bare, isFunction, type Callees, type FunctionNode } from './callees.ts'
import type { SourceProgram } from './program.ts'
import { PORT_OFF_THE_RECORD, SET_UP_MEMBERS } from './weights.ts'

export interface CountedFunction {
  readonly node: FunctionNode
  readonly name: string
  /** Calls of it in counted code, and whether any is in another file. */
  readonly sites: number
  readonly calledFromElsewhere: boolean
  /** Reached through a pointer as well. */
  readonly escapes: boolean
  /** A C programmer writes it inline, or as the body of a loop. */
  readonly accessor: boolean
  readonly loopBody: boolean
}

interface Found {
  readonly node: FunctionNode
  readonly calls: FunctionNode[]
  readonly callers: FunctionNode[]
  makesClosures: boolean
  escapes: boolean
  /** A callback that a builtin calls and forgets. */
  callbackIn: FunctionNode | 'module' | undefined
  referenced: boolean
  readonly accessor: boolean
}

export function countedFunctions(
  program: SourceProgram,
  callees: Callees,
  exportsRun: boolean,
): ReadonlyMap<FunctionNode, CountedFunction> {
  const found = new Map<FunctionNode, Found>()
  for (const file of program.files) survey(file, callees, found)
  const names = namesOf(program, found)
  for (const file of program.files) resolve(file, callees, found, names)

  spreadSetUp(found)

  const counted = new Set<FunctionNode>()
  const visit = (node: FunctionNode): void => {
    const entry = found.get(node)
    if (!entry || counted.has(node) || entry.makesClosures) return
    counted.add(node)
    entry.calls.forEach(visit)
  }
  for (const entry of found.values()) {
    const { node } = entry
    const isMethod = isClassMethod(node) && !SET_UP_MEMBERS.includes(callees.implemented(node) ?? '')
    const exported =
      exportsRun &&
      ts.isFunctionDeclaration(node) &&
      node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    if (entry.escapes || ((isMethod || exported) && !entry.referenced)) visit(node)
  }
  // A builtin's callback is part of the function that it stands in.
  for (let size = -1; size !== counted.size; ) {
    size = counted.size
    for (const { node, callbackIn } of found.values()) {
      if (callbackIn !== undefined && callbackIn !== 'module' && counted.has(callbackIn)) visit(node)
    }
  }
  return new Map(
    [...counted].map(node => {
      const entry = found.get(node)!
      const callers = entry.callers.filter(caller => counted.has(caller))
      return [
        node,
        {
          node,
          name: nameOf(node),
          sites: callers.length,
          calledFromElsewhere: callers.some(caller => caller.getSourceFile() !== node.getSourceFile()),
          escapes: entry.escapes,
          accessor: entry.accessor,
          loopBody: entry.callbackIn !== undefined,
        },
      ]
    }),
  )
}

/** What calls a maker of closures is set-up too, unless somebody else calls it in turn: that is a fault. */
function spreadSetUp(found: ReadonlyMap<FunctionNode, Found>): void {
  for (let changed = true; changed; ) {
    changed = false
    for (const entry of found.values()) {
      if (entry.makesClosures || entry.escapes || isClassMethod(entry.node)) continue
      if (!entry.calls.some(callee => found.get(callee)?.makesClosures)) continue
      entry.makesClosures = true
      changed = true
    }
  }
}

function isClassMethod(node: FunctionNode): boolean {
  return ts.isMethodDeclaration(node) && ts.isClassLike(node.parent)
}

/** The innermost function around a node. */
export function functionAround(node: ts.Node): FunctionNode | 'module' {
  for (let outer = node.parent; outer; outer = outer.parent) if (isFunction(outer)) return outer
  return 'module'
}

export function nameOf(node: FunctionNode): string {
  const named = ts.isArrowFunction(node) || ts.isFunctionExpression(node) ? node.parent : node
  const name = ts.getNameOfDeclaration(named as ts.Declaration)
  return name?.getText() ?? (ts.isConstructorDeclaration(node) ? 'constructor' : 'a function')
}

function survey(file: ts.SourceFile, callees: Callees, found: Map<FunctionNode, Found>): void {
  const walk = (node: ts.Node): void => {
    if (isFunction(node) && node.body) {
      const callback = isBuiltinsCallback(node, callees)
      const outer = functionAround(node)
      const literal = ts.isObjectLiteralExpression(node.parent)
        ? node.parent
        : ts.isPropertyAssignment(node.parent)
          ? node.parent.parent
          : undefined
      found.set(node, {
        node,
        calls: [],
        callers: [],
        makesClosures: false,
        referenced: false,
        escapes:
          !callback &&
          !SET_UP_MEMBERS.includes(callees.implemented(node) ?? '') &&
          !ts.isFunctionDeclaration(node) &&
          !ts.isConstructorDeclaration(node) &&
          !isBoundToName(node) &&
          !(ts.isMethodDeclaration(node) && ts.isClassLike(node.parent)),
        callbackIn: callback ? outer : undefined,
        accessor: literal !== undefined && callees.implementsAccessors(literal),
      })
      if (outer !== 'module' && !callback && !ts.isClassLike(node.parent)) {
        const around = found.get(outer)
        if (around) around.makesClosures = true
      }
    }
    ts.forEachChild(node, walk)
  }
  walk(file)
}

/** What a reference to any function of the program can be called. Looking up everything else takes the type checker long. */
function namesOf(program: SourceProgram, found: ReadonlyMap<FunctionNode, Found>): ReadonlySet<string> {
  const names = new Set(PORT_OFF_THE_RECORD)
  for (const node of found.keys()) {
    names.add(nameOf(node))
    if (ts.isClassLike(node.parent) && node.parent.name) names.add(node.parent.name.text)
  }
  for (const file of program.files) {
    for (const statement of file.statements) {
      if (!ts.isImportDeclaration(statement)) continue
      const bindings = statement.importClause?.namedBindings
      if (bindings && ts.isNamedImports(bindings))
        for (const { propertyName, name } of bindings.elements) if (propertyName) names.add(name.text)
    }
  }
  return names
}

function calledName(node: ts.CallExpression | ts.NewExpression): string {
  const callee = bare(node.expression)
  return ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText()
}

/** Notes who calls whom, and which functions are used as values. */
function resolve(
  file: ts.SourceFile,
  callees: Callees,
  found: Map<FunctionNode, Found>,
  names: ReadonlySet<string>,
): void {
  const walk = (node: ts.Node, around: FunctionNode | 'module', offTheRecord: boolean): void => {
    if (isFunction(node)) around = node
    if ((ts.isCallExpression(node) || ts.isNewExpression(node)) && names.has(calledName(node))) {
      const callee = callees.callee(node)
      if (callee.kind === 'off the record') offTheRecord = true
      if (callee.kind === 'function') {
        const entry = found.get(callee.node)
        if (entry) {
          entry.referenced = true
          if (!offTheRecord && around !== 'module') {
            entry.callers.push(around)
            found.get(around)!.calls.push(callee.node)
          }
        }
      }
    } else if (ts.isIdentifier(node) && names.has(node.text) && isValueUse(node)) {
      const target = callees.functionOf(node)
      const entry = target && found.get(target)
      if (entry) {
        entry.referenced = true
        entry.escapes = true
      }
    }
    ts.forEachChild(node, child => walk(child, around, offTheRecord))
  }
  walk(file, 'module', false)
}

/** True if an identifier is used as a value: not where it is declared, called, imported or exported. */
function isValueUse(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isShorthandPropertyAssignment(parent)) return true
  if (ts.isCallExpression(parent) || ts.isNewExpression(parent)) return parent.expression !== node
  if (ts.isPropertyAccessExpression(parent)) {
    if (parent.name !== node) return false
    return !(ts.isCallExpression(parent.parent) && parent.parent.expression === parent)
  }
  if (
    ts.isImportSpecifier(parent) ||
    ts.isExportSpecifier(parent) ||
    ts.isTypeNode(parent) ||
    ts.isTypeQueryNode(parent)
  )
    return false
  if (isFunction(parent) && parent.name === node) return false
  if (
    (ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isBindingElement(parent)) &&
    parent.name === node
  )
    return false
  if (ts.isPropertyAssignment(parent) && parent.name === node) return false
  return true
}

function isBoundToName(node: FunctionNode): boolean {
  return (
    ts.isVariableDeclaration(node.parent) &&
    ts.isIdentifier(node.parent.name) &&
    (ts.getCombinedNodeFlags(node.parent) & ts.NodeFlags.Const) !== 0
  )
}

function isBuiltinsCallback(node: FunctionNode, callees: Callees): boolean {
  const { parent } = node
  return (
    ts.isCallExpression(parent) &&
    parent.expression !== node &&
    callees.callee(parent).kind === 'builtin' &&
    bare(parent.expression) !== node
  )
}
