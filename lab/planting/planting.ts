/**
 * Plants changes into the product as it is loaded: `planted` imports a module and all that it imports of the product
 * anew, with what was planted under a name. Copies live side by side in one process; the machine (hw/) is everyone's.
 */
// As a whole: what else there is to see of the command must load where Node has no such hooks.
import nodeModule from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { importersOf } from './importers.ts'
import { plantedText } from './planted-text.ts'
import { type Substitution, TOP } from './substitution.ts'

/** What has copies of its own; this folder and the counting have not. */
const COPIED = /^(vmm|drivers|guests|lab)\/(?!planting\/|counting\/)/
const MARK = 'planted'

/** The name under which what is imported as ever is planted. */
const EVERYONE = ''

interface Plan {
  readonly substitutions: readonly Substitution[]
  /** Files that see something of it: they are loaded anew. */
  readonly seen: ReadonlySet<string>
}

const plans = new Map<string, Plan>()
let registered = false

/** Plants under a name; nothing is loaded yet. Throws if an anchor does not stand in its file exactly once. */
export function plant(name: string, substitutions: readonly Substitution[]): void {
  const known = plans.get(name)
  if (known) {
    if (JSON.stringify(known.substitutions) !== JSON.stringify(substitutions))
      throw new Error(`"${name}" is planted already, and otherwise`)
    return
  }
  for (const file of new Set(substitutions.map(({ file }) => file))) {
    if (!COPIED.test(file)) throw new Error(`${file}: nothing can be planted there`)
    plantedText(
      file,
      substitutions.filter(substitution => substitution.file === file),
    )
  }
  plans.set(name, { substitutions, seen: importersOf(substitutions.map(({ file }) => file)) })
  if (registered) return
  registered = true
  register()
}

/** Plants into whatever this thread loads from now on, as a thread or process of its own does that is there for one change. */
export function plantForEveryone(substitutions: readonly Substitution[]): void {
  plant(EVERYONE, substitutions)
}

/** A module (its URL) with all that it imports of the product, as planted under the name. */
export async function planted<T>(name: string, module: URL): Promise<T> {
  if (name === EVERYONE || !plans.has(name)) throw new Error(`nothing is planted under the name "${name}"`)
  const url = new URL(module)
  url.search = ''
  url.searchParams.set(MARK, name)
  return (await import(url.href)) as T
}

function register(): void {
  nodeModule.registerHooks({
    resolve(specifier, context, nextResolve) {
      const result = nextResolve(specifier, context)
      const name = nameIn(context.parentURL)
      if (name === EVERYONE || nameIn(result.url) !== EVERYONE) return result
      const path = pathOf(result.url)
      if (!COPIED.test(path) || !plans.get(name)!.seen.has(path)) return result
      const url = new URL(result.url)
      url.searchParams.set(MARK, name)
      return { ...result, url: url.href }
    },
    load(url, context, nextLoad) {
      const name = nameIn(url)
      const file = pathOf(url)
      const here = plans.get(name)?.substitutions.filter(substitution => substitution.file === file) ?? []
      if (here.length === 0) return nextLoad(url, context)
      return { format: 'module-typescript', source: plantedText(file, here), shortCircuit: true }
    },
  })
}

function nameIn(url: string | undefined): string {
  return url?.startsWith('file:') ? (new URL(url).searchParams.get(MARK) ?? EVERYONE) : EVERYONE
}

function pathOf(url: string): string {
  if (!url.startsWith('file:')) return ''
  return relative(TOP, fileURLToPath(url))
}
