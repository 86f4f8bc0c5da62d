/** Which branches of the VMMs have been executed: functions, and blocks within them that V8 has counted apart. */
import { Session } from 'node:inspector'

/** Of a file: where a function or block begins, and whether it has been executed. */
export interface Branch {
  readonly from: number
  readonly to: number
  /** From 1. */
  readonly line: number
  readonly done: boolean
}
export interface FileCoverage {
  readonly file: string
  readonly branches: readonly Branch[]
}

interface V8Coverage {
  readonly result: readonly {
    readonly scriptId: string
    readonly url: string
    readonly functions: readonly {
      readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[]
    }[]
  }[]
}

const VMM = /\/(vmm\/.*\.[jt]s)$/

/** Begins to count in this thread; what it returns gives what has been counted. Call it before anything of the VMMs is loaded. */
export function beginCoverage(): () => readonly FileCoverage[] {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  return () => taken(session)
}

function taken(session: Session): readonly FileCoverage[] {
  let coverage: V8Coverage = { result: [] }
  session.post('Profiler.takePreciseCoverage', (_, answer) => {
    coverage = answer
  })
  session.post('Debugger.enable')
  return coverage.result.flatMap(({ scriptId, url, functions }) => {
    const file = VMM.exec(url)?.[1]
    if (file === undefined) return []
    let text = ''
    session.post('Debugger.getScriptSource', { scriptId }, (_, { scriptSource }) => {
      text = scriptSource
    })
    const lines = lineNumbers(text)
    const branches = functions.flatMap(({ ranges }) =>
      ranges.map(({ startOffset, endOffset, count }) => ({
        from: startOffset,
        to: endOffset,
        line: lines(startOffset),
        done: count > 0,
      })),
    )
    return [{ file, branches }]
  })
}

function lineNumbers(text: string): (offset: number) => number {
  const ends: number[] = []
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) ends.push(at)
  return offset => ends.filter(end => end < offset).length + 1
}

/** What several threads have counted, together: a branch that one has executed is executed. */
export function joined(coverages: readonly (readonly FileCoverage[])[]): readonly FileCoverage[] {
  const files = new Map<string, Map<string, Branch>>()
  for (const coverage of coverages) {
    for (const { file, branches } of coverage) {
      const known = files.get(file) ?? new Map<string, Branch>()
      files.set(file, known)
      for (const branch of branches) {
        const key = `${branch.from}-${branch.to}`
        known.set(key, { ...branch, done: branch.done || (known.get(key)?.done ?? false) })
      }
    }
  }
  for (const [file, known] of files) {
    for (const [key, branch] of known) {
      if (!branch.done && coverages.some(coverage => isDone(coverage, file, branch)))
        known.set(key, { ...branch, done: true })
    }
  }
  return [...files]
    .map(([file, known]) => ({
      file,
      branches: [...known.values()].toSorted((a, b) => a.from - b.from || b.to - a.to),
    }))
    .toSorted((a, b) => (a.file < b.file ? -1 : 1))
}

/** Whether a thread has executed what may be a part of a block that it counted as one. */
function isDone(coverage: readonly FileCoverage[], file: string, { from, to }: Branch): boolean {
  const branches = coverage.find(each => each.file === file)?.branches ?? []
  const around = branches.filter(branch => branch.from <= from && branch.to >= to)
  return around.length > 0 && around.reduce((a, b) => (b.to - b.from <= a.to - a.from ? b : a)).done
}
