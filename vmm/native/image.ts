/** The native VMM's image: how a hart comes in, the world switch, and the doors into TypeScript. */
import { assemble, type Program } from '../../hw/spec/isa/assembler.ts'
import type { DriverPlacement, Placements } from '../../hw/spec/layouts/placement.ts'
import { worldSwitch } from '../core/world-switch.ts'
import { serverTextOf, VMM_BASE } from './layout.ts'
import { serverProgram } from './placed/server/text.ts'
import { SERVER_GATE } from './placed/server/vmm-side-gate.ts'

/** One for disks, one for network cards. */
const SERVERS = 2

/** Each door is a label and, behind it, an entry of the same name. `wfi` and `ecall` fall into theirs. */
const source = (files: boolean): string => `
    .option norvc
start:                      # a0 = hart
    csrw sie, zero
    csrw sscratch, zero
    la t0, from_guest
    csrw stvec, t0
boot:
    enter boot
scrub:
    enter scrub
    wfi
settle:
    enter settle
start_secondary:            # a0 = hart, as the firmware starts it
    csrw sie, zero
    csrw sscratch, zero
    la t0, from_guest
    csrw stvec, t0
secondary:
    enter secondary
    wfi
woken:
    enter woken
    ecall
called:
    enter called
    ecall
told:
    enter told
saved:
    enter saved
dropped:
    enter dropped
arriving:
    enter arriving
    wfi
padded:
    enter padded
loaded:
    enter loaded
${worldSwitch('', files)}
`

/** `files`: for a machine with guest interrupt files. `serving`: with the way into servers. */
export function nativeImage(files = false, serving = false): Program {
  return assemble(serving ? `${source(files)}${SERVER_GATE}` : source(files), { origin: VMM_BASE })
}

/** What is to be put at VMM_BASE: the VMM, and the text of its servers if it has any. */
export function nativePayload(
  placements: {
    readonly [device in keyof Placements]?: Partial<DriverPlacement>
  },
  files = false,
): Uint8Array {
  const serving = placements.disk?.at === 'server' || placements.network?.at === 'server'
  const { bytes } = nativeImage(files, serving)
  if (!serving) return bytes
  const payload = new Uint8Array(serverTextOf(SERVERS) - VMM_BASE)
  if (bytes.length > serverTextOf(0) - VMM_BASE) throw new Error(`the VMM's image takes ${bytes.length} bytes`)
  payload.set(bytes)
  for (let server = 0; server < SERVERS; server++)
    payload.set(serverProgram(serverTextOf(server)).bytes, serverTextOf(server) - VMM_BASE)
  return payload
}
