/**
 * Counts what runs on simulated harts as it is loaded: `node --import` this module, or import it before any of them.
 * In the packed project the count is in the files already, and this is not needed.
 */
import { registerHooks } from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { countedGroup, groupOf, type CountedGroup } from './cache.ts'
import { UncountableError } from './faults.ts'
import type { Group } from './groups.ts'

const TOP = fileURLToPath(new URL('../../', import.meta.url))
const groups = new Map<Group, CountedGroup>()

registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith('file:') || !url.split('?')[0].endsWith('.ts')) return nextLoad(url, context)
    const path = relative(TOP, fileURLToPath(url))
    const owner = groupOf(path)
    if (!owner) return nextLoad(url, context)
    let group = groups.get(owner)
    if (!group) {
      group = countedGroup(owner)
      groups.set(owner, group)
    }
    const counted = group[path]
    // A file that has appeared since the group was counted is counted by the next process.
    if (!counted) return nextLoad(url, context)
    if (counted.faults.length > 0) throw new UncountableError(counted.faults)
    return { format: 'module-typescript', source: counted.text, shortCircuit: true }
  },
})
