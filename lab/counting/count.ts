/**
 * Adds to each stretch of code the number of RISC-V instructions that it stands for, and where in the program's text they
 * end: as if all files' stretches were compiled one behind the other. The text keeps its lines.
 */
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { FunctionBodies } from './bodies.ts'
import { Callees } from './callees.ts'
import { Constants } from './constants.ts'
import { Weigher } from './expressions.ts'
import { Faults, UncountableError } from './faults.ts'
import { countedFunctions, type CountedFunction } from './functions.ts'
import { openProgram } from './program.ts'
import { framePlaces, StatementWeigher } from './statements.ts'
import { WEIGHTS } from './weights.ts'

/** The counter, from the project's top. */
const COUNTER: string = fileURLToPath(new URL('../../hw/hart/port/path-length.ts', import.meta.url))
/** The name under which counted modules import it. */
const NAME = '$path'

/** A counted file: its new text, still TypeScript, and why it cannot be counted, if it cannot. */
export interface CountedFile {
  readonly text: string
  readonly faults: readonly string[]
}

/** What comes first where several edits meet: what ends, before what begins; statements around expressions. */
const RANKS = { armEnd: 0, blockEnd: 1, stretch: 2, arm: 3 } as const

interface Edit {
  readonly at: number
  readonly rank: number
  readonly text: string
  /** A stretch begins: it is counted behind `text`, and `behind` follows. */
  readonly weight?: number | string
  readonly behind?: string
  /** What it weighs more in a traced build. */
  traced?: number
}

/** Instructions of a stretch whose weight is only known when it runs: a loop's, for each turn. */
const TURN = 8

/**
 * Counts a whole program, by absolute path: its files see each other's functions. With `exportsRun`, exported functions
 * that none of them calls are taken to run on a hart. `override` gives the text of files in
 * place of what is on disk.
 */
export function countProgram(
  paths: readonly string[],
  exportsRun: boolean,
  override?: ReadonlyMap<string, string>,
): ReadonlyMap<string, CountedFile> {
  const program = openProgram(paths, override)
  const callees = new Callees(program)
  const constants = new Constants(callees)
  const functions = countedFunctions(program, callees, exportsRun)
  const bodies = new FunctionBodies(program, callees, constants, functions)
  const faults = new Faults()
  const edits = new Map<ts.SourceFile, Edit[]>(program.files.map(file => [file, []]))

  for (const counted of functions.values()) {
    const list = edits.get(counted.node.getSourceFile())
    if (!list) continue
    const weigher = new Weigher(program, callees, constants, bodies, faults, (arm, weight) =>
      countArm(list, arm, weight),
    )
    const statements = new StatementWeigher(weigher, callees, faults, (place, weight) =>
      countStretch(list, place, weight),
    )
    const frame = bodies.frame(counted.node)
    const perCall = counted.loopBody ? WEIGHTS.element : 0
    if (counted.loopBody) weigher.loops = 1
    statements.body(
      counted.node,
      frame.weight,
      frame.from,
      bodies.inlined(counted.node),
      returnsBoolean(program.checker, counted),
      perCall,
    )
    const [entered, framed] = framePlaces(counted.node.body!, frame.from)
    countTraced(list, entered, frame.traced.call)
    countTraced(list, framed, frame.traced.frame)
  }
  let end = 0
  return new Map(
    program.files.map(file => {
      const { text, position } = edited(file, edits.get(file)!, end)
      end = position
      return [file.fileName, { text, faults: faults.of(file.fileName) }]
    }),
  )
}

/** Counts a file by itself; `fileName` is absolute. Throws {@link UncountableError}. */
export function countModule(source: string, fileName: string): string {
  const { text, faults } = countProgram([fileName], true, new Map([[fileName, source]])).get(fileName)!
  if (faults.length > 0) throw new UncountableError(faults)
  return text
}

function returnsBoolean(checker: ts.TypeChecker, { node }: CountedFunction): boolean {
  const signature = checker.getSignatureFromDeclaration(node)
  return signature !== undefined && (checker.getReturnTypeOfSignature(signature).flags & ts.TypeFlags.BooleanLike) !== 0
}

/** As an expression: no statement of the source begins with it. What a traced build adds is not part of the text's layout. */
function add(weight: number | string, traced: number, position: number): string {
  const more = traced === 0 ? '' : ` + ${traced} * ${NAME}[2]`
  return `${NAME}[0] += ${weight}${more}, ${NAME}[1] = ${position}`
}

/** The stretch that begins at a place weighs more in a traced build. */
function countTraced(edits: Edit[], place: ts.Node, weight: number): void {
  if (weight === 0) return
  const at = place.getStart() + (ts.isBlock(place) ? 1 : 0)
  const begins = (edit: Edit): boolean => edit.at === at && edit.weight !== undefined
  // A loop that is a body's first statement hangs below it with its condition.
  if (!edits.some(begins)) countStretch(edits, place, 0)
  const stretch = edits.find(begins)!
  stretch.traced = (stretch.traced ?? 0) + weight
}

function countArm(edits: Edit[], arm: ts.Expression, weight: number | string): void {
  // Source without semicolons: a statement that comes to begin with a parenthesis would go on with the one before.
  edits.push(
    { at: arm.getStart(), rank: RANKS.arm, text: `${beginsStatement(arm) ? ';' : ''}(`, weight, behind: ', ' },
    { at: arm.end, rank: RANKS.armEnd, text: ')' },
  )
}

/** True if a statement, one of a list, begins with this expression. */
function beginsStatement(arm: ts.Expression): boolean {
  let node: ts.Node = arm
  while (node.parent.getStart() === arm.getStart()) {
    if (ts.isExpressionStatement(node.parent)) return isListed(node.parent)
    node = node.parent
  }
  return false
}

function countStretch(edits: Edit[], place: ts.Node, weight: number): void {
  const at = place.getStart()
  if (ts.isBlock(place)) edits.push({ at: at + 1, rank: RANKS.stretch, text: ' ', weight, behind: '; ' })
  else if (ts.isCaseOrDefaultClause(place)) return
  else if (ts.isExpression(place)) countArm(edits, place, weight)
  else {
    const listed = isListed(place)
    edits.push({ at, rank: RANKS.stretch, text: listed ? '' : '{ ', weight, behind: '; ' })
    if (!listed) edits.push({ at: place.end, rank: RANKS.blockEnd, text: ' }' })
  }
}

/** True for a statement in a list of statements. */
function isListed(place: ts.Node): boolean {
  const { parent } = place
  return ts.isBlock(parent) || ts.isCaseOrDefaultClause(parent) || ts.isSourceFile(parent)
}

/** The text with its edits; its instructions lie from `position` on. */
function edited(file: ts.SourceFile, edits: readonly Edit[], position: number): { text: string; position: number } {
  if (edits.length === 0) return { text: file.text, position }
  const ordered = edits.toSorted((a, b) => a.at - b.at || a.rank - b.rank)
  const target = relative(dirname(file.fileName), COUNTER)
  let text = `import { pathLength as ${NAME} } from '${target.startsWith('.') ? target : `./${target}`}'; `
  let from = 0
  let end = position
  for (const { at, text: before, weight, behind = '', traced = 0 } of ordered) {
    text += file.text.slice(from, at) + before
    from = at
    if (weight === undefined) continue
    end += typeof weight === 'number' ? weight : TURN
    text += add(weight, traced, end) + behind
  }
  return { text: text + file.text.slice(from), position: end }
}
