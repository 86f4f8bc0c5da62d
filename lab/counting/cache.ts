/**
 * Counted sources, kept on disk. Files are counted by the group, since what a call costs depends on both its ends; a
 * group's key covers its own text, what it may import, and the counting itself.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { CountedFile } from './count.ts'
import { GROUPS, IMPORTED_FOLDERS, type Group } from './groups.ts'

const TOP = new URL('../../', import.meta.url).pathname
const CACHE = join(TOP, 'node_modules/.cache/barehart/counting')

export type CountedGroup = Readonly<Record<string, CountedFile>>

/** The group that a file of this path (from the project's top) belongs to, or undefined if it is not counted. */
export function groupOf(path: string): Group | undefined {
  return path.endsWith('.d.ts')
    ? undefined
    : GROUPS.find(({ folders }) => folders.some(folder => path.startsWith(folder)))
}

/** The files of a group, by their path from the project's top. */
export function countedGroup({ folders, exportsRun }: Group): CountedGroup {
  const paths = folders.flatMap(sources)
  const hash = createHash('sha256')
  for (const path of [...paths, ...IMPORTED_FOLDERS.flatMap(sources), ...sources('lab/counting/')]) {
    hash.update(`${path}\0`).update(readFileSync(join(TOP, path)))
  }
  const file = join(CACHE, `${hash.digest('hex').slice(0, 32)}.json`)
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as CountedGroup
  // Only now is the compiler needed, which takes longer to load than all the rest.
  const { countProgram } = createRequire(import.meta.url)('./count.ts') as typeof import('./count.ts')
  const counted = countProgram(
    paths.map(path => join(TOP, path)),
    exportsRun,
  )
  const group = Object.fromEntries(paths.map(path => [path, counted.get(join(TOP, path))!]))
  mkdirSync(CACHE, { recursive: true })
  // Several processes may count at once: the file appears whole.
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, JSON.stringify(group))
  renameSync(draft, file)
  return group
}

function sources(folder: string): readonly string[] {
  if (folder.endsWith('.ts')) return [folder]
  if (!existsSync(join(TOP, folder))) return []
  return readdirSync(join(TOP, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .toSorted()
    .map(name => folder + name)
}
