/**
 * How many lines of code a guest has to trust: those of the modules that run privileged over it, which are firmware and
 * hypervisor (or host) with all that they import, without what the placement keeps away from guests. Counted in the
 * sources: lines that are neither blank nor comment.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { placementNamed, type PlacementName } from './placements.ts'
import type { Device } from './workloads.ts'

const TOP = fileURLToPath(new URL('../../', import.meta.url))

const FIRMWARE = 'hw/boards/firmware/firmware'
const ROOTS = { bare: [], native: ['vmm/native/index'], hosted: ['vmm/hosted/index'] } as const
/** Where the native VMM says which module puts a driver where. */
const PLACED = 'vmm/native/placed/index'
const TABLES: Readonly<Record<Device, string>> = { nvme: 'DISKS', nic: 'NETWORKS' }
/** Modules whose code runs in user mode. */
const APART = /^vmm\/native\/placed\/server\/(?!vmm-side)/

/** The assembler, which runs before the machine does. */
const TOOLS = /^hw\/spec\/isa\//

/** Paths from the project's top, without their extension. */
type Module = string

/** Sources, or what they were packed into. */
function fileOf(module: Module): string {
  const source = join(TOP, `${module}.ts`)
  return existsSync(source) ? source : join(TOP, `${module}.js`)
}

/** What a text imports to run; types are not there when it runs. */
function importsOf(module: Module, text: string): readonly Module[] {
  const found = text.matchAll(/^(?:import|export)\s+(?!type\b)([^'"]*?)\s*from\s*['"](\.[^'"]+)['"]/gms)
  return [...found]
    .filter(([, what]) => !/^\{(\s*type\s[^,}]*,?)+\s*\}$/.test(what))
    .map(([, , path]) => join(dirname(module), path).replace(/\.[jt]s$/, ''))
}

function textOf(module: Module): string {
  return readFileSync(fileOf(module), 'utf8')
}

/** All that these modules import, themselves included, and not what is kept out with all that only it imports. */
export function closure(roots: readonly Module[], keptOut: (module: Module) => boolean): ReadonlySet<Module> {
  const found = new Set<Module>()
  const waiting = [...roots]
  for (let module = waiting.pop(); module !== undefined; module = waiting.pop()) {
    if (found.has(module) || keptOut(module)) continue
    found.add(module)
    waiting.push(...importsOf(module, textOf(module)))
  }
  return found
}

/** Neither blank nor comment. */
export function linesOfCode(text: string): number {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
  return code.split('\n').filter(line => line.trim() !== '').length
}

/** The modules that put this device's driver elsewhere, as the VMM's own table says. */
function otherPlaces(device: Device, at: string): ReadonlySet<Module> {
  const text = textOf(PLACED)
  const table = new RegExp(`const ${TABLES[device]}[^=]*=\\s*\\{([^}]*)\\}`).exec(text)?.[1] ?? ''
  const makers = [...table.matchAll(/(\w+)(?::\s*(\w+))?/g)].map(([, place, maker]) => ({
    place,
    maker: maker ?? place,
  }))
  const moduleOf = (maker: string) =>
    new RegExp(`import \\{[^}]*\\b${maker}\\b[^}]*\\} from '(\\.[^']+)\\.[jt]s'`).exec(text)?.[1]
  const modules = (own: boolean) =>
    makers
      .filter(({ place }) => (place === at) === own)
      .flatMap(({ maker }) => moduleOf(maker) ?? [])
      .map(path => join(dirname(PLACED), path))
  const used = new Set(modules(true))
  return new Set(modules(false).filter(module => !used.has(module)))
}

/** The modules behind {@link trustedLines}. */
export function trustedModules(name: PlacementName, device: Device): readonly Module[] {
  const { configuration, at } = placementNamed(name)
  const place = at?.at ?? 'vmm'
  const others = configuration === 'native' ? otherPlaces(device, place) : new Set<Module>()
  const apart = place === 'server' || place === 'domain'
  const driver = device === 'nvme' ? /^drivers\/nvme/ : /^drivers\/nic/
  const keptOut = (module: Module) =>
    TOOLS.test(module) || others.has(module) || (apart && (APART.test(module) || driver.test(module)))
  return [...closure([FIRMWARE, ...ROOTS[configuration]], keptOut)].toSorted()
}

/** Lines of code that a guest of this placement has to trust. */
export function trustedLines(name: PlacementName, device: Device): number {
  return trustedModules(name, device).reduce((sum, module) => sum + linesOfCode(textOf(module)), 0)
}
