/**
 * What happens when a guest traps: a table from cause to handler. A handler does what the guest is owed and leaves the
 * guest past its instruction, or leaves a device access for whoever emulates devices.
 */
import { type HartPort, TOO_BIG } from '../../hw/port.ts'
import { type Csr, maskOf } from '../../hw/spec/csr.ts'
import { htinst, htval, vsepc, vscause, vstval, vstvec, vsstatus } from '../../hw/spec/csrs/hypervisor.ts'
import { scause, sstatus, stval } from '../../hw/spec/csrs/supervisor.ts'
import { frame } from './frame.ts'
import type { Host } from './host.ts'
import { decodeTransformed, type MemoryAccess } from './memory-access.ts'
import { handleCall } from './sbi.ts'
import { acquire, release } from './spin-lock.ts'
import { WAITING, type Vcpu } from './vcpu.ts'
import type { VirtualMachine } from './virtual-machine.ts'

/** The guest may go on (unless its vCPU's status says otherwise). */
export const HANDLED = 0
/** A device access waits in `pending`: emulate it, then `finishAccess`. */
export const DEVICE = 1
/** An interrupt of the machine's own: the VMM handles it. */
export const INTERRUPT = 2

/** A device access in the making: one record a hart. */
export interface PendingAccess extends MemoryAccess {
  address: number
  /** Index of the guest's window (VirtualMachine.find). */
  window: number
}

// Exception codes (priv: scause).
const FETCH_ACCESS = 1
const ILLEGAL_INSTRUCTION = 2
const LOAD_ACCESS = 5
const STORE_ACCESS = 7
const ECALL_FROM_VS = 10
const FETCH_GUEST_PAGE = 20
const LOAD_GUEST_PAGE = 21
const VIRTUAL_INSTRUCTION = 22
const STORE_GUEST_PAGE = 23

const WFI = 0x1050_0073

// Bits of sstatus and vsstatus.
const SIE = maskOf(sstatus, 'SIE')
const SPIE = maskOf(sstatus, 'SPIE')
const SPP = maskOf(sstatus, 'SPP')

/** Handles the trap that brought the hart here from this vCPU. */
export function handleExit(port: HartPort, host: Host, vm: VirtualMachine, vcpu: Vcpu, pending: PendingAccess): number {
  const cause = port.read(scause)
  // An interrupt's highest bit makes it too big a number.
  if (cause === TOO_BIG) return INTERRUPT
  if (cause === ECALL_FROM_VS) {
    handleCall(port, host, vm, vcpu)
    return HANDLED
  }
  if (cause === LOAD_GUEST_PAGE || cause === STORE_GUEST_PAGE || cause === FETCH_GUEST_PAGE) {
    return guestPageFault(port, host, vm, vcpu, cause, pending)
  }
  if (cause === VIRTUAL_INSTRUCTION) {
    virtualInstruction(port, host, vcpu)
    return HANDLED
  }
  // Nothing else is kept from VS-mode: whatever comes is a guest that cannot go on.
  host.end(port, vm, vcpu, true, cause)
  return HANDLED
}

/** The guest physical address of a guest-page fault: htval holds it shifted right by two, stval its low bits. */
function faultAddress(port: HartPort): number {
  return port.read(htval) * 4 + (port.readLow(stval) & 3)
}

function guestPageFault(
  port: HartPort,
  host: Host,
  vm: VirtualMachine,
  vcpu: Vcpu,
  cause: number,
  pending: PendingAccess,
): number {
  const address = faultAddress(port)
  if (vm.ram.contains(address)) {
    port.account(host.party, 'stage-2 fault', 'emulation')
    acquire(port, vm.memoryLock)
    const page = vm.ram.populate(port, address)
    release(port, vm.memoryLock)
    // It asks again until there is one.
    if (page === 0 && host.makeRoom(port)) return HANDLED
    if (page === 0) host.end(port, vm, vcpu, true, cause)
    // A hart may have kept that nothing was there (priv 12.3.2, Svvptc); the instruction takes the address shifted right by two.
    else port.hfenceGvma(Math.floor(address / 4))
    return HANDLED
  }
  if (cause === FETCH_GUEST_PAGE || !decodeTransformed(instructionOf(port, vcpu), pending)) {
    refuse(port, host, vm, vcpu, cause)
    return HANDLED
  }
  const window = vm.find(address, pending.bytes)
  if (window < 0 || pending.bytes > 8 || address % pending.bytes !== 0) {
    refuse(port, host, vm, vcpu, cause)
    return HANDLED
  }
  port.account(host.party, `${pending.write ? 'store' : 'load'} ${vm.nameOf(window)}`, 'emulation')
  pending.address = address
  pending.window = window
  return DEVICE
}

/** The transformed instruction, or the instruction itself in the same form where the hart gave none. */
function instructionOf(port: HartPort, vcpu: Vcpu): number {
  const transformed = port.read(htinst)
  if (transformed !== 0) return transformed
  const at = vcpu.programCounter(port)
  const low = port.guestFetch16(at)
  if (low < 0) return 0
  if ((low & 3) !== 3) return expandCompressed(low)
  const high = port.guestFetch16(at + 2)
  return high < 0 ? 0 : low | (high << 16)
}

/** c.lw, c.ld, c.sw and c.sd as transformed instructions: the standard form with bit 1 clear. Others: 0. */
function expandCompressed(word: number): number {
  if ((word & 3) !== 0) return 0
  const register = 8 + ((word >>> 2) & 7)
  const width = (word >>> 13) & 7
  if (width === 2 || width === 3) return (width << 12) | (register << 7) | 0x01
  if (width === 6 || width === 7) return ((width - 4) << 12) | (register << 20) | 0x21
  return 0
}

/** Ends a device access: what was loaded goes to its register, and the guest goes on behind the instruction. */
export function finishAccess(port: HartPort, vcpu: Vcpu, access: MemoryAccess, low: number, high: number): void {
  if (!access.write) {
    let value = low
    let top = high
    if (access.bytes < 8) {
      const unused = 32 - access.bytes * 8
      value = access.signed ? (low << unused) >> unused : (low << unused) >>> unused
      top = access.signed && value < 0 ? -1 : 0
    }
    vcpu.setRegister(port, access.register, value, top)
  }
  vcpu.skip(port, access.length)
}

/**
 * Nobody answers there, or not to such an instruction: the guest takes an access fault, as on a bare machine. One that
 * has no handler, or whose handler is what cannot be fetched, would take faults for ever: it cannot go on.
 */
function refuse(port: HartPort, host: Host, vm: VirtualMachine, vcpu: Vcpu, cause: number): void {
  const handler = Math.floor(readAddress(port, vstvec) / 4) * 4
  if (handler === 0 || (cause === FETCH_GUEST_PAGE && vcpu.programCounter(port) === handler)) {
    host.end(port, vm, vcpu, true, cause)
    return
  }
  port.account(host.party, 'refused access', 'emulation')
  const fault = cause === FETCH_GUEST_PAGE ? FETCH_ACCESS : cause === STORE_GUEST_PAGE ? STORE_ACCESS : LOAD_ACCESS
  injectException(port, vcpu, fault, port.readLow(stval), port.readHigh(stval))
}

/** A CSR that holds an address: negative in the upper half of the space. */
function readAddress(port: HartPort, csr: Csr): number {
  return port.readLow(csr) + (port.readHigh(csr) | 0) * 0x1_0000_0000
}

/** The guest takes an exception at its own vector, as if the hart had delegated it. */
export function injectException(port: HartPort, vcpu: Vcpu, cause: number, low: number, high: number): void {
  const at = vcpu.frame
  // Its highest bit is set when floating-point registers are dirty: as one number it would not be exact.
  const status = port.readLow(vsstatus)
  const previous = port.load32(at + frame.sstatus.at)
  let next = status & ~(SPP | SPIE | SIE)
  if ((status & SIE) !== 0) next |= SPIE
  if ((previous & SPP) !== 0) next |= SPP
  port.clear(vsstatus, SPP | SPIE | SIE)
  port.set(vsstatus, next & (SPP | SPIE))
  port.write(vscause, cause)
  writeWords(port, vstval, low, high)
  // All 64 bits: a guest may have jumped to where no instruction can be.
  writeWords(port, vsepc, port.load32(at + frame.sepc.at), port.load32(at + frame.sepc.at + 4))
  // An exception goes to the vector's base whatever its mode.
  port.store32(at + frame.sepc.at, (port.readLow(vstvec) & ~3) >>> 0)
  port.store32(at + frame.sepc.at + 4, port.readHigh(vstvec))
  port.store32(at + frame.sstatus.at, previous | SPP)
}

/** A CSR from two words: a number of 64 bits would not be exact. */
function writeWords(port: HartPort, csr: Csr, low: number, high: number): void {
  port.write(csr, low)
  if (high !== 0) port.set(csr, high * 0x1_0000_0000)
}

/** wfi waits; everything else that traps so is illegal to this guest. */
function virtualInstruction(port: HartPort, host: Host, vcpu: Vcpu): void {
  if (port.readLow(stval) === WFI) {
    port.account(host.party, 'wfi', 'emulation')
    vcpu.record.status = WAITING
    vcpu.skip(port, 4)
    return
  }
  port.account(host.party, 'virtual instruction', 'emulation')
  injectException(port, vcpu, ILLEGAL_INSTRUCTION, port.readLow(stval), 0)
}
