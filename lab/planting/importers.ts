/** Which files of the product see a change of others: those, and whoever imports them, directly or not. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path/posix'
import { sourceOf, TOP } from './substitution.ts'

const FOLDERS = ['vmm', 'drivers', 'guests', 'lab']
/** Of imports, exports and types alike: one too many does no harm. */
const SPECIFIER = /\b(?:from|import)\s*\(?\s*'(\.[^']+\.ts)'/g

/** By file: whoever imports it. Read once. */
let importers: ReadonlyMap<string, readonly string[]> | undefined

function read(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const folder of FOLDERS) {
    for (const name of readdirSync(TOP + folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue
      const file = `${folder}/${name}`
      for (const [, specifier] of sourceOf(file).matchAll(SPECIFIER)) {
        const target = join(file, '..', specifier)
        found.set(target, [...(found.get(target) ?? []), file])
      }
    }
  }
  return found
}

export function importersOf(files: readonly string[]): ReadonlySet<string> {
  importers ??= read()
  const seen = new Set(files)
  for (const file of seen) for (const importer of importers.get(file) ?? []) seen.add(importer)
  return seen
}
