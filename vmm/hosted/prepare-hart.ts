/** What the host's kernel sets on every hart before anything runs there. */
import type { HartPort } from '../../hw/port.ts'
import { hcounteren, hedeleg, henvcfg, hideleg, hie, hvip, vstimecmp } from '../../hw/spec/csrs/hypervisor.ts'
import { scounteren, sie, stimecmp } from '../../hw/spec/csrs/supervisor.ts'

/** SSIE and STIE, and SEIE on the hart that takes the devices' interrupts. */
const INTERRUPTS = (1 << 1) | (1 << 5)
const EXTERNAL = 1 << 9
/** VSSI, VSTI and VSEI: the guest's own. */
const VS_INTERRUPTS = 0x444
/** What a guest handles itself: misaligned accesses, breakpoints, ecall from VU, its page faults, illegal instructions. */
const DELEGATED = 0xb1ff
/** henvcfg.STCE, and what cache-block instructions need. */
const TIMER_IN_HARDWARE = 2 ** 63
const CACHE_BLOCKS = 0xf0
const COUNTERS = 7
/** A comparator that is never reached: all ones. */
const NO_TIME = -1

export function prepareHart(port: HartPort): void {
  port.write(hedeleg, DELEGATED)
  port.write(hideleg, VS_INTERRUPTS)
  port.write(hcounteren, COUNTERS)
  port.write(scounteren, COUNTERS)
  port.write(henvcfg, TIMER_IN_HARDWARE)
  port.set(henvcfg, CACHE_BLOCKS)
  port.write(hvip, 0)
  port.write(vstimecmp, NO_TIME)
  port.write(stimecmp, NO_TIME)
  port.write(hie, 0)
  port.set(sie, INTERRUPTS | (port.hart === 0 ? EXTERNAL : 0))
}
