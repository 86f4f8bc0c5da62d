/** The SBI that guests call (SBI 2.0): base, TIME, IPI, RFENCE, HSM, SRST, DBCN and the legacy console. */
import type { HartPort } from '../../hw/port.ts'
import { vstimecmp } from '../../hw/spec/csrs/hypervisor.ts'
import {
  A0,
  A1,
  A2,
  A6,
  A7,
  HART_STATE,
  SBI_ALREADY_AVAILABLE,
  SBI_BASE,
  SBI_DBCN,
  SBI_FAILED,
  SBI_HSM,
  SBI_INVALID_ADDRESS,
  SBI_INVALID_PARAM,
  SBI_IPI,
  SBI_LEGACY_GETCHAR,
  SBI_LEGACY_PUTCHAR,
  SBI_LEGACY_SET_TIMER,
  SBI_LEGACY_SHUTDOWN,
  SBI_NOT_SUPPORTED,
  SBI_RFENCE,
  SBI_SRST,
  SBI_SUCCESS,
  SBI_TIME,
  SBI_VERSION_2_0,
} from '../../hw/spec/sbi.ts'
import { frame } from './frame.ts'
import { SMALL_PAGE } from './g-stage.ts'
import type { Host } from './host.ts'
import { NOWHERE, RUNNABLE, STOPPED, VSSIP, WAITING, type Vcpu } from './vcpu.ts'
import type { VirtualMachine } from './virtual-machine.ts'

/** The implementation number that guests read; unassigned. */
const IMPLEMENTATION = 0x6268
/** The longest that one DBCN call writes: it may do less than it was asked for (SBI 12.1). */
const CONSOLE_CHUNK = 256
/** vsstatus at a hart's start: VS-mode, UXL 64 bits. */
const START_VSSTATUS_HIGH = 2

/** Handles an ecall from VS-mode: advances the guest past it and sets its a0 and a1. */
export function handleCall(port: HartPort, host: Host, vm: VirtualMachine, vcpu: Vcpu): void {
  const extension = vcpu.argument32(port, A7)
  const call = vcpu.argument32(port, A6)
  port.account(host.party, nameOfCall(extension, call), 'emulation')
  vcpu.skip(port, 4)
  if (extension === SBI_BASE) return base(port, vcpu, call)
  if (extension === SBI_TIME && call === 0) return setTimer(port, vcpu)
  if (extension === SBI_IPI && call === 0) return sendIpi(port, host, vm, vcpu)
  if (extension === SBI_RFENCE) return remoteFence(port, host, vm, vcpu, call)
  if (extension === SBI_HSM) return hartState(port, host, vm, vcpu, call)
  if (extension === SBI_SRST && call === 0) return reset(port, host, vm, vcpu)
  if (extension === SBI_DBCN) return debugConsole(port, host, vm, vcpu, call)
  if (extension === SBI_LEGACY_SET_TIMER) return setTimer(port, vcpu)
  if (extension === SBI_LEGACY_PUTCHAR) {
    host.consolePut(port, vm, vcpu.argument32(port, A0) & 0xff)
    return vcpu.setResult(port, A0, 0)
  }
  if (extension === SBI_LEGACY_GETCHAR) return vcpu.setResult(port, A0, host.consoleGet(port, vm))
  if (extension === SBI_LEGACY_SHUTDOWN) return host.end(port, vm, vcpu, false, 0)
  answer(port, vcpu, SBI_NOT_SUPPORTED, 0)
}

const CALL_NAMES: Readonly<Record<number, string>> = {
  [SBI_BASE]: 'ecall base',
  [SBI_TIME]: 'ecall set_timer',
  [SBI_IPI]: 'ecall send_ipi',
  [SBI_RFENCE]: 'ecall remote fence',
  [SBI_HSM]: 'ecall hart state',
  [SBI_SRST]: 'ecall system reset',
  [SBI_DBCN]: 'ecall debug console',
  [SBI_LEGACY_PUTCHAR]: 'ecall putchar',
  [SBI_LEGACY_SET_TIMER]: 'ecall set_timer',
}

/** The call's name for the ledger. Off the record. */
function nameOfCall(extension: number, call: number): string {
  return CALL_NAMES[extension] ?? `ecall 0x${extension.toString(16)}.${call}`
}

function answer(port: HartPort, vcpu: Vcpu, error: number, value: number): void {
  vcpu.setResult(port, A0, error)
  vcpu.setResult(port, A1, value)
}

function base(port: HartPort, vcpu: Vcpu, call: number): void {
  if (call === 0) return answer(port, vcpu, SBI_SUCCESS, SBI_VERSION_2_0)
  if (call === 1) return answer(port, vcpu, SBI_SUCCESS, IMPLEMENTATION)
  if (call === 2) return answer(port, vcpu, SBI_SUCCESS, 1)
  if (call === 3) return answer(port, vcpu, SBI_SUCCESS, isSupported(vcpu.argument32(port, A0)) ? 1 : 0)
  // Machine vendor, architecture and implementation: 0 is always legal.
  if (call <= 6) return answer(port, vcpu, SBI_SUCCESS, 0)
  answer(port, vcpu, SBI_NOT_SUPPORTED, 0)
}

function isSupported(extension: number): boolean {
  return (
    extension === SBI_BASE ||
    extension === SBI_TIME ||
    extension === SBI_IPI ||
    extension === SBI_RFENCE ||
    extension === SBI_HSM ||
    extension === SBI_SRST ||
    extension === SBI_DBCN ||
    extension === SBI_LEGACY_SET_TIMER ||
    extension === SBI_LEGACY_PUTCHAR ||
    extension === SBI_LEGACY_GETCHAR ||
    extension === SBI_LEGACY_SHUTDOWN
  )
}

/** The guest could write stimecmp itself (Sstc); the call does the same for those that do not. */
function setTimer(port: HartPort, vcpu: Vcpu): void {
  port.write(vstimecmp, vcpu.argument64(port, A0))
  answer(port, vcpu, SBI_SUCCESS, 0)
}

/** True if the vCPU is named by a hart mask in two registers (SBI 3.1): base of all ones means every hart. */
function isNamed(mask: number, base: number, everyone: boolean, index: number): boolean {
  if (everyone) return true
  const bit = index - base
  return bit >= 0 && bit < 32 && ((mask >>> bit) & 1) === 1
}

/** A hart mask base of -1: its high word is all ones. */
function namesEveryone(port: HartPort, vcpu: Vcpu, register: number): boolean {
  return vcpu.argument64(port, register) > 0xffff_ffff
}

function sendIpi(port: HartPort, host: Host, vm: VirtualMachine, vcpu: Vcpu): void {
  const mask = vcpu.argument32(port, A0)
  const first = vcpu.argument32(port, A1)
  const everyone = namesEveryone(port, vcpu, A1)
  for (let index = 0; index < vm.vcpus.length; index++) {
    const target = vm.vcpus[index]
    if (target.record.status === STOPPED || !isNamed(mask, first, everyone, index)) continue
    if (target.raise(port, VSSIP)) host.kick(port, target)
  }
  answer(port, vcpu, SBI_SUCCESS, 0)
}

/** Functions 0 to 6: fence.i, sfence.vma and hfence for a guest that has no guests of its own. */
function remoteFence(port: HartPort, host: Host, vm: VirtualMachine, vcpu: Vcpu, call: number): void {
  if (call > 2) return answer(port, vcpu, SBI_NOT_SUPPORTED, 0)
  const mask = vcpu.argument32(port, A0)
  const first = vcpu.argument32(port, A1)
  const everyone = namesEveryone(port, vcpu, A1)
  for (let index = 0; index < vm.vcpus.length; index++) {
    const target = vm.vcpus[index]
    if (!isNamed(mask, first, everyone, index)) continue
    if (target === vcpu) {
      if (call === 0) port.fenceI()
      else port.hfenceVvma()
    } else {
      target.record.fence = true
      // One that no hart holds does it when it comes to one.
      if (target.record.hart !== NOWHERE) vcpu.record.fencing = true
      host.kick(port, target)
    }
  }
  answer(port, vcpu, SBI_SUCCESS, 0)
}

function hartState(port: HartPort, host: Host, vm: VirtualMachine, vcpu: Vcpu, call: number): void {
  if (call === 1) {
    vcpu.record.status = STOPPED
    return
  }
  if (call === 3) {
    // Suspend, retentive: the same as wfi.
    if (vcpu.argument32(port, A0) !== 0) return answer(port, vcpu, SBI_NOT_SUPPORTED, 0)
    vcpu.record.status = WAITING
    return answer(port, vcpu, SBI_SUCCESS, 0)
  }
  const index = vcpu.argument32(port, A0)
  if (index >= vm.vcpus.length) return answer(port, vcpu, SBI_INVALID_PARAM, 0)
  const target = vm.vcpus[index]
  if (call === 2) return answer(port, vcpu, SBI_SUCCESS, stateOf(target))
  if (call !== 0) return answer(port, vcpu, SBI_NOT_SUPPORTED, 0)
  if (target.record.status !== STOPPED) return answer(port, vcpu, SBI_ALREADY_AVAILABLE, 0)
  // What is still on a hart would overwrite what it is to start with.
  if (target.record.hart !== NOWHERE) return answer(port, vcpu, SBI_FAILED, 0)
  const address = vcpu.argument64(port, A1)
  if (!vm.ram.contains(address)) return answer(port, vcpu, SBI_INVALID_ADDRESS, 0)
  startAt(port, target, address, vcpu.argument64(port, A2))
  host.kick(port, target)
  answer(port, vcpu, SBI_SUCCESS, 0)
}

function stateOf({ record }: Vcpu): number {
  if (record.status !== STOPPED) return HART_STATE.STARTED
  return record.hart === NOWHERE ? HART_STATE.STOPPED : HART_STATE.STOP_PENDING
}

/** A hart's state when it starts (SBI 9.1): VS-mode, translation off, interrupts off, a0 its number, a1 what it was given. */
export function startAt(port: HartPort, vcpu: Vcpu, address: number, opaque: number): void {
  const { frame: at, record } = vcpu
  port.store64(at + frame.sepc.at, address)
  port.store64(at + frame.vsatp.at, 0)
  port.store32(at + frame.vsstatus.at, 0)
  port.store32(at + frame.vsstatus.at + 4, START_VSSTATUS_HIGH)
  vcpu.setResult(port, A0, vcpu.index)
  vcpu.setResult(port, A1, opaque)
  record.status = RUNNABLE
}

function reset(port: HartPort, host: Host, vm: VirtualMachine, vcpu: Vcpu): void {
  if (vcpu.argument32(port, A0) > 2) return answer(port, vcpu, SBI_INVALID_PARAM, 0)
  host.end(port, vm, vcpu, false, vcpu.argument32(port, A1))
}

function debugConsole(port: HartPort, host: Host, vm: VirtualMachine, vcpu: Vcpu, call: number): void {
  if (call === 2) {
    host.consolePut(port, vm, vcpu.argument32(port, A0) & 0xff)
    return answer(port, vcpu, SBI_SUCCESS, 0)
  }
  if (call > 2) return answer(port, vcpu, SBI_NOT_SUPPORTED, 0)
  const guest = vcpu.argument64(port, A1)
  const bytes = Math.min(vcpu.argument32(port, A0), CONSOLE_CHUNK, SMALL_PAGE - (guest % SMALL_PAGE))
  const address = vm.ram.reach(port, guest, bytes)
  if (address < 0) return answer(port, vcpu, SBI_INVALID_PARAM, 0)
  let done = 0
  while (done < bytes) {
    if (call === 0) {
      host.consolePut(port, vm, port.load8(address + done))
    } else {
      const byte = host.consoleGet(port, vm)
      if (byte < 0) break
      port.store8(address + done, byte)
    }
    done++
  }
  answer(port, vcpu, done === 0 && bytes > 0 && call === 0 ? SBI_FAILED : SBI_SUCCESS, done)
}
