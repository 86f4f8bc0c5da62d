/** Sources as the packed project has them: JavaScript, with the path length counted in it. */
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { countedGroup, groupOf, type CountedGroup } from './cache.ts'
import { UncountableError } from './faults.ts'
import type { Group } from './groups.ts'
import { ROOT } from './program.ts'

const groups = new Map<Group, CountedGroup>()

/** The JavaScript of a TypeScript file, by its path from the project's top. Throws {@link UncountableError}. */
export function javascriptOf(path: string): string {
  return stripTypeScriptTypes(sourceOf(path)).replaceAll(
    /(\bfrom\s*|\bimport\s*\(?\s*|new URL\()'(\.{1,2}\/[^']+)\.ts'/g,
    (_, before: string, target: string) => `${before}'${target}.js'`,
  )
}

function sourceOf(path: string): string {
  const owner = groupOf(path)
  if (!owner) return readFileSync(ROOT + path, 'utf8')
  let group = groups.get(owner)
  if (!group) {
    group = countedGroup(owner)
    groups.set(owner, group)
  }
  const { text, faults } = group[path]
  if (faults.length > 0) throw new UncountableError(faults)
  return text
}
