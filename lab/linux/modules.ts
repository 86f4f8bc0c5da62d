/** Kernel modules in an unpacked tree: where they are, what they need, decompressed. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import xz from 'xz-decompress'

export interface Module {
  readonly name: string
  readonly data: Uint8Array
}

/** Module names use _ and - alike. */
function canonical(name: string): string {
  return name.replaceAll('-', '_')
}

async function decompressed(path: string): Promise<Uint8Array> {
  const raw = readFileSync(path)
  if (!path.endsWith('.xz')) return raw
  const stream = new xz.XzReadableStream(new Blob([raw]).stream())
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** The names after `depends=` in a module's .modinfo. */
function dependsOf(data: Uint8Array): readonly string[] {
  const text = Buffer.from(data).toString('latin1')
  return (/\0depends=([^\0]*)\0/.exec(text)?.[1] ?? '').split(',').filter(Boolean).map(canonical)
}

/** The wanted modules and all that they need, each after what it needs. Modules that are built in are left out. */
export async function modulesFor(tree: string, wanted: readonly string[]): Promise<readonly Module[]> {
  const paths = new Map<string, string>()
  for (const entry of readdirSync(tree, { recursive: true, encoding: 'utf8' })) {
    const name = /([^/]+)\.ko(?:\.xz)?$/.exec(entry)?.[1]
    if (name) paths.set(canonical(name), join(tree, entry))
  }
  const found: Module[] = []
  const visit = async (name: string): Promise<void> => {
    const path = paths.get(name)
    if (!path || found.some(module => module.name === name)) return
    const data = await decompressed(path)
    for (const needed of dependsOf(data)) await visit(needed)
    found.push({ name, data })
  }
  for (const name of wanted) await visit(canonical(name))
  return found
}
