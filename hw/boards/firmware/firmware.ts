/**
 * Our own SBI firmware, in assembly: SBI 2.0 with base, TIME, IPI, RFENCE, HSM, SRST, DBCN and the legacy console. It
 * runs on this machine and on QEMU's board of the same map. Silent; the payload has the console to itself.
 */
import { VIRT_MAP } from '../virt-map.ts'
import { calls } from './calls.ts'
import { dbcn } from './dbcn.ts'
import { hsm } from './hsm.ts'
import { HART_STATE } from '../../spec/sbi.ts'
import { SCRATCH_SHIFT, STATE } from './layout.ts'
import { rfence } from './rfence.ts'
import { start } from './start.ts'
import { trap } from './trap.ts'

export interface FirmwarePlace {
  readonly harts: number
  /** The naturally aligned memory that PMP keeps from everybody else. */
  readonly base: number
  readonly bytes: number
  /** The M-mode domain of an APLIC, which is to be all S-mode's. */
  readonly aplic?: AplicPlace
}

export interface AplicPlace {
  readonly base: number
  readonly sources: number
}

/** A hart mask is one register. */
export const FIRMWARE_HARTS = 64
export const FIRMWARE_BYTES = 0x1_0000

/** The firmware's assembly for so many harts, linked at the start of RAM. */
export function firmwareSource(harts: number, aplic?: AplicPlace): string {
  if (!Number.isInteger(harts) || harts < 1 || harts > FIRMWARE_HARTS) {
    throw new RangeError(`firmware for ${harts} harts: it serves 1 to ${FIRMWARE_HARTS}`)
  }
  const place: FirmwarePlace = { harts, base: VIRT_MAP.ram.base, bytes: FIRMWARE_BYTES, ...(aplic && { aplic }) }
  return [start(place), trap(), calls(place), rfence(), hsm(place), dbcn(place), data(harts)].join('')
}

function data(harts: number): string {
  const stopped = `  .space ${STATE}\n  .dword ${HART_STATE.STOPPED}\n  .space ${(1 << SCRATCH_SHIFT) - STATE - 8}\n`
  return `
  .balign 8
has_stimecmp:
  .dword 0
has_hypervisor:
  .dword 0
hsm_lock:
  .dword 0
fence_lock:
  .dword 0
fence_pending:
  .dword 0
fence_request:
  .space 40
  .balign ${1 << SCRATCH_SHIFT}
scratch:
${stopped.repeat(harts)}`
}
