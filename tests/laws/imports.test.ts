import { expect, test } from 'vitest'
import { sourceFiles } from './sources.ts'

/** For each room: what its files may import. A room is named by a path prefix; the first match counts. */
const MAY_IMPORT: readonly (readonly [room: string, allowed: readonly string[]])[] = [
  ['hw/spec/', ['hw/spec/']],
  ['hw/', ['hw/', 'binary-parser']],
  ['drivers/port-environment.ts', ['drivers/', 'hw/spec/', 'hw/port.ts']],
  ['drivers/', ['drivers/', 'hw/spec/']],
  ['vmm/native/', ['vmm/native/', 'vmm/core/', 'vmm/virtual/', 'hw/port.ts', 'hw/spec/', 'drivers/']],
  ['vmm/hosted/', ['vmm/hosted/', 'vmm/core/', 'vmm/virtual/', 'hw/port.ts', 'hw/spec/', 'drivers/']],
  ['vmm/', ['vmm/core/', 'vmm/virtual/', 'hw/port.ts', 'hw/spec/', 'drivers/']],
  ['guests/', ['guests/', 'hw/port.ts', 'hw/spec/', 'drivers/']],
]

for (const [room, allowed] of MAY_IMPORT) {
  test(`${room} imports only ${allowed.join(', ')}`, () => {
    const files = sourceFiles(room.split('/')[0] ?? '').filter(
      file => MAY_IMPORT.find(([prefix]) => file.path.startsWith(prefix))?.[0] === room,
    )
    const strangers = files.flatMap(file =>
      file.imports
        .filter(target => !allowed.some(prefix => target.startsWith(prefix)))
        .map(target => `${file.path} imports ${target}`),
    )
    expect(strangers).toEqual([])
  })
}
