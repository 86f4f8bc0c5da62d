/** The project's own source files and what they import, for the laws. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface SourceFile {
  /** Path from the repository's top, with forward slashes. */
  readonly path: string
  readonly text: string
  /** Project files by their path, packages by their name. */
  readonly imports: readonly string[]
}

/** Every TypeScript file of a top-level folder. */
export function sourceFiles(folder: string): readonly SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .toSorted()
    .map(name => {
      const path = join(folder, name)
      const text = readFileSync(join(ROOT, path), 'utf8')
      const imports = [
        ...text.matchAll(/^(?:import|export)\b[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm),
      ].map(match => {
        const target = match[1] ?? match[2] ?? match[3] ?? ''
        return target.startsWith('.') ? normalize(join(dirname(path), target)) : target
      })
      return { path, text, imports }
    })
}
