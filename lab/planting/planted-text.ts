/** The text of a planted file as it is loaded: counted, if its folder is. Counted texts are kept on disk. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { sourceOf, type Substitution, substituted, TOP } from './substitution.ts'

const CACHE = `${TOP}node_modules/.cache/barehart/planting`

export function plantedText(file: string, substitutions: readonly Substitution[]): string {
  const text = substituted(sourceOf(file), substitutions)
  const { groupOf } = createRequire(import.meta.url)('../counting/cache.ts') as typeof import('../counting/cache.ts')
  return groupOf(file) ? counted(file, text) : text
}

/**
 * A planted file is counted by itself, which takes a hundredth of a second and not two: calls into other files weigh a
 * few instructions more or less than when all are counted as one program.
 */
function counted(file: string, text: string): string {
  const key = createHash('sha256').update(`${file}\0`).update(text).update(process.version).digest('hex').slice(0, 32)
  const kept = `${CACHE}/${key}.ts`
  if (existsSync(kept)) return readFileSync(kept, 'utf8')
  const { countProgram } = createRequire(import.meta.url)(
    '../counting/count.ts',
  ) as typeof import('../counting/count.ts')
  const path = TOP + file
  const result = countProgram([path], true, new Map([[path, text]])).get(path)!.text
  mkdirSync(CACHE, { recursive: true })
  const draft = `${kept}.${process.pid}`
  writeFileSync(draft, result)
  renameSync(draft, kept)
  return result
}
