/** The counted sources as a type-checked program. */
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { COUNTED_FOLDERS } from './weights.ts'

/** The project's top, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))

export interface SourceProgram {
  readonly checker: ts.TypeChecker
  /** The counted files, by absolute path. */
  readonly files: readonly ts.SourceFile[]
  isCounted(file: ts.SourceFile): boolean
  isLibrary(file: ts.SourceFile): boolean
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  lib: ['lib.es2024.d.ts'],
  module: ts.ModuleKind.NodeNext,
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  types: [],
}

/** The library's files, which take longest to read and never change. */
const library = new Map<string, ts.SourceFile>()

/** Reads and binds the files. `override` gives the text of a file in place of what is on disk. */
export function openProgram(
  paths: readonly string[],
  override: ReadonlyMap<string, string> = new Map(),
): SourceProgram {
  const host = ts.createCompilerHost(OPTIONS)
  const disk = ts.createCompilerHost(OPTIONS)
  host.readFile = path => override.get(path) ?? disk.readFile(path)
  host.fileExists = path => override.has(path) || disk.fileExists(path)
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (path, ...rest) => {
    const known = library.get(path)
    if (known) return known
    const file = read(path, ...rest)
    if (file && /[\\/]lib\.[\w.]+\.d\.ts$/.test(path)) library.set(path, file)
    return file
  }
  const program = ts.createProgram(paths, OPTIONS, host)
  const counted = new Set(paths)
  const isCounted = (path: string): boolean =>
    counted.has(path) || COUNTED_FOLDERS.some(folder => shortPath(path).startsWith(folder))
  return {
    checker: program.getTypeChecker(),
    files: paths.flatMap(path => program.getSourceFile(path) ?? []),
    isCounted: file => isCounted(file.fileName),
    isLibrary: file => program.isSourceFileDefaultLibrary(file),
  }
}

/** A file's path from the project's top. */
export function shortPath(fileName: string): string {
  return relative(ROOT, fileName)
}
