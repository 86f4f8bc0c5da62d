/**
 * Covert channels: a Trojan guest encodes a symbol in what it does with a resource, and a spy guest times its own use of the
 * same resource. Both look at the time CSR, so that they agree when: in each epoch the Trojan acts first, then the spy.
 */
import type { Software } from '../../hw/port.ts'
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { guestImage } from '../image.ts'

/** Symbols are 0 to 15. */
export const SYMBOLS = 16
/** Ticks of the time CSR (10 MHz): when the first epoch begins; whatever boots has booted. */
export const FIRST_EPOCH = 4_000_000
/** Where the spy notes what it saw, a number an epoch. */
export const NOTES = GUEST_RAM + 0x80_0000

export interface ChannelGuest {
  readonly program: Program
  readonly software?: Software
}

export interface Channel {
  readonly resource: string
  /** What the Trojan does with it, and what the spy times. */
  readonly does: string
  readonly unit: string
  /** Ticks: the Trojan acts in the first half. With slots of half an epoch each has one. */
  readonly epoch: number
  /** Slots that an epoch has, if time is protected: the Trojan's, the spy's, and so on. */
  readonly slots: number
  readonly disk: boolean
  trojan(symbols: readonly number[]): ChannelGuest
  spy(epochs: number): ChannelGuest
}

/** Ticks into an epoch at which the spy wants to go on. */
export const SPY_PHASE = 1500

const STIE = 1 << 5

/** Sleeps until the time in s4. */
const SLEEP = `
1:  csrr t0, time
    bgeu t0, s4, 2f
    csrw stimecmp, s4
    wfi
    j 1b
2:  li t0, -1
    csrw stimecmp, t0
`

/** A guest that does `each` in every epoch, `phase` ticks after it begins (s2); `before` once; `behind` is more text and data. */
function everyEpoch(epoch: number, epochs: number, phase: number, parts: EpochParts): ChannelGuest {
  const { before = '', each, end, behind = '' } = parts
  return {
    program: guestImage(`
start:
    li t0, ${STIE}
    csrw sie, t0
    csrci sstatus, 2
    li s2, ${FIRST_EPOCH}
    li s5, ${epochs}
    ${before}
epoch:
    li s4, ${phase}
    add s4, s4, s2
    ${SLEEP}
    ${each}
    li t0, ${epoch}
    add s2, s2, t0
    addi s5, s5, -1
    bnez s5, epoch
    ${end}
${behind}
`),
  }
}

interface EpochParts {
  readonly before?: string
  readonly each: string
  readonly end: string
  readonly behind?: string
}

/** `encode` finds the symbol in s6. */
export function trojanGuest(
  epoch: number,
  symbols: readonly number[],
  { before = '', encode, behind = '' }: { readonly before?: string; readonly encode: string; readonly behind?: string },
): ChannelGuest {
  return everyEpoch(epoch, symbols.length, 0, {
    before: `${before}\n    la s3, symbols`,
    each: `lbu s6, 0(s3)\n    addi s3, s3, 1\n${encode}`,
    end: 'forever: wfi\n    j forever',
    behind: `${behind}\n    .data\nsymbols: .byte ${symbols.join(', ')}\n    .text`,
  })
}

/** `measure` leaves what it saw in t0; s4 is when it wanted to go on. */
export function spyGuest(
  epoch: number,
  epochs: number,
  {
    before = '',
    measure,
    behind = '',
  }: { readonly before?: string; readonly measure: string; readonly behind?: string },
): ChannelGuest {
  return everyEpoch(epoch, epochs, SPY_PHASE, {
    before: `${before}\n    li s3, ${NOTES}`,
    each: `${measure}\n    sd t0, 0(s3)\n    addi s3, s3, 8`,
    end: 'shutdown',
    behind,
  })
}
