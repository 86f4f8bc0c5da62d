/** What counted code may not contain, gathered by file so that one load reports all of its own. */
import type ts from 'typescript'
import { shortPath } from './program.ts'

export class UncountableError extends Error {
  override readonly name = 'UncountableError'

  /** `faults` are lines that begin with the place. */
  constructor(faults: readonly string[]) {
    super(`the path length of this code cannot be counted (docs/path-length.md):\n  ${faults.join('\n  ')}`)
  }
}

export class Faults {
  readonly #byFile = new Map<string, Set<string>>()

  add(node: ts.Node, what: string): void {
    const file = node.getSourceFile()
    const { line } = file.getLineAndCharacterOfPosition(node.getStart())
    const lines = this.#byFile.get(file.fileName) ?? new Set()
    this.#byFile.set(file.fileName, lines.add(`${shortPath(file.fileName)}:${line + 1}: ${what}`))
  }

  of(fileName: string): readonly string[] {
    return [...(this.#byFile.get(fileName) ?? [])]
  }
}
