/** What a hypervisor sets on each hart before guests run there, and on each vCPU's frame before it runs. */
import type { HartPort } from '../../hw/port.ts'
import { highMaskOf, maskOf } from '../../hw/spec/csr.ts'
import {
  hcounteren,
  hedeleg,
  henvcfg,
  hgatp,
  hideleg,
  hstatus,
  hvip,
  vstimecmp,
} from '../../hw/spec/csrs/hypervisor.ts'
import { scounteren, sie, sstatus, stimecmp } from '../../hw/spec/csrs/supervisor.ts'
import { frame } from './frame.ts'

/** VSSI, VSTI and VSEI: the guest's own. */
export const VS_INTERRUPTS = maskOf(hideleg, 'VSSI', 'VSTI', 'VSEI')
/** What a guest handles itself: misaligned accesses, breakpoints, ecall from VU, its page faults, illegal instructions. */
const DELEGATED = maskOf(hedeleg, 'FetchAccess_to_ECALL_U', 'PageFaults', 'StorePageFault')
/** henvcfg.STCE, and what cache-block instructions need. */
const TIMER_IN_HARDWARE = highMaskOf(henvcfg, 'STCE') * 2 ** 32
const CACHE_BLOCKS = maskOf(henvcfg, 'CBIE', 'CBCFE', 'CBZE')
const COUNTERS = 7
/** A comparator that is never reached: all ones. */
export const NO_TIME = -1

const HOST_INTERRUPTS = maskOf(sie, 'SSIE', 'STIE')
/** On the hart that takes the devices' interrupts. */
const EXTERNAL = maskOf(sie, 'SEIE')

// A guest's hstatus and sstatus: it was in VS-mode; floating point on.
const IN_GUEST = maskOf(hstatus, 'SPV', 'SPVP')
const WFI_TRAPS = maskOf(hstatus, 'VTW')
const FROM_SUPERVISOR = maskOf(sstatus, 'SPP', 'SPIE', 'FS')
/** VSXL and UXL: 64 bits, at the bottom of the high word. */
const WIDTH_64 = 2
const PAGE = 4096
const SV39X4 = 8
/** hgatp.MODE, and hgatp.VMID's lowest bit, in the high word. */
const MODE_SHIFT = 28
const VMID_MASK = highMaskOf(hgatp, 'VMID')
const VMID_BIT = VMID_MASK & -VMID_MASK
const TWO_32 = 0x1_0000_0000

/** Interrupts off but for the host's own; everything that a guest may handle delegated to it. */
export function prepareHypervisor(port: HartPort): void {
  port.write(hedeleg, DELEGATED)
  port.write(hideleg, VS_INTERRUPTS)
  port.write(hcounteren, COUNTERS)
  port.write(scounteren, COUNTERS)
  port.write(henvcfg, TIMER_IN_HARDWARE)
  port.set(henvcfg, CACHE_BLOCKS)
  port.write(hvip, 0)
  port.write(vstimecmp, NO_TIME)
  port.write(stimecmp, NO_TIME)
  port.set(sie, HOST_INTERRUPTS | (port.hart === 0 ? EXTERNAL : 0))
}

/** The vCPU's machine has another VMID: in its frame, and in the CSR if that is the vCPU's already. */
export function renameMachine(port: HartPort, at: number, vmid: number, isLoaded: boolean): void {
  port.store32(at + frame.hgatp.at + 4, ((SV39X4 << MODE_SHIFT) | (vmid * VMID_BIT)) >>> 0)
  if (!isLoaded) return
  port.clear(hgatp, VMID_MASK * TWO_32)
  port.set(hgatp, vmid * VMID_BIT * TWO_32)
}

/** A vCPU's frame at `at` as new; `root` is its G-stage table. */
export function prepareContext(port: HartPort, at: number, root: number, vmid: number, wfiTraps: boolean): void {
  port.fill(at, 0, frame.size)
  port.store32(at + frame.hstatus.at, IN_GUEST | (wfiTraps ? WFI_TRAPS : 0))
  port.store32(at + frame.hstatus.at + 4, WIDTH_64)
  port.store32(at + frame.sstatus.at, FROM_SUPERVISOR)
  port.store32(at + frame.sstatus.at + 4, WIDTH_64)
  port.store32(at + frame.hgatp.at, root / PAGE)
  port.store32(at + frame.hgatp.at + 4, ((SV39X4 << MODE_SHIFT) | (vmid * VMID_BIT)) >>> 0)
  port.store32(at + frame.vstimecmp.at, 0xffff_ffff)
  port.store32(at + frame.vstimecmp.at + 4, 0xffff_ffff)
}
