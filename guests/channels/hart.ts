/** Channels through what a hart has: its caches, its TLBs, its time. */
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import { paging, WINDOW } from '../paging.ts'
import { type Channel, spyGuest, SYMBOLS, trojanGuest } from './channel.ts'

/** 400 µs a half. */
const EPOCH = 8000
const BUFFER = GUEST_RAM + 0xa0_0000
/** The first-level data cache of Rocket: 16 KiB, 64 sets of 4 lines of 64 bytes. */
const LINES = 256
const LINE = 64

/** Loads at t1, `stride` apart, t2 times. */
const walk = (stride: number) => `
    beqz t2, 2f
    li t4, ${stride}
1:  ld t3, 0(t1)
    add t1, t1, t4
    addi t2, t2, -1
    bnez t2, 1b
2:`

/** Times what is between. */
const timed = (what: string) => `
    csrr s7, cycle
    ${what}
    csrr t0, cycle
    sub t0, t0, s7`

export const cacheChannel: Channel = {
  resource: 'cache',
  does: 'the Trojan loads 0 to 255 lines; the spy walks 16 KiB that it had in the data cache',
  unit: 'cycles',
  epoch: EPOCH,
  slots: 2,
  disk: false,
  trojan: symbols =>
    trojanGuest(EPOCH, symbols, {
      encode: `li t1, ${BUFFER}\n    li t2, ${LINES / SYMBOLS + 1}\n    mul t2, t2, s6\n${walk(LINE)}`,
    }),
  spy: epochs => spyGuest(EPOCH, epochs, { measure: timed(`li t1, ${BUFFER}\n    li t2, ${LINES}\n${walk(LINE)}`) }),
}

const SPY_PAGES = 96
const PAGE = 4096

export const tlbChannel: Channel = {
  resource: 'TLB',
  does: 'the Trojan touches 0 to 90 pages, all in one set of the cache; the spy touches 96 in others',
  unit: 'cycles',
  epoch: EPOCH,
  slots: 2,
  disk: false,
  trojan: symbols =>
    trojanGuest(EPOCH, symbols, {
      before: 'call paging_on',
      encode: `li t1, ${WINDOW + 62 * LINE}\n    li t2, ${SPY_PAGES / SYMBOLS}\n    mul t2, t2, s6\n${walk(PAGE)}`,
      behind: paging(SPY_PAGES),
    }),
  spy: epochs =>
    spyGuest(EPOCH, epochs, {
      before: 'call paging_on',
      measure: timed(
        [0, 1, 2].map(third => `li t1, ${WINDOW + third * 32 * PAGE}\n    li t2, 32\n${walk(PAGE + LINE)}`).join('\n'),
      ),
      behind: paging(SPY_PAGES + 2),
    }),
}

export const schedulerChannel: Channel = {
  resource: 'scheduler',
  does: 'the Trojan computes for 0 to 300 µs; the spy looks how late it wakes',
  unit: 'ticks',
  epoch: EPOCH,
  slots: 2,
  disk: false,
  trojan: symbols =>
    trojanGuest(EPOCH, symbols, {
      encode: `
    li t1, 200
    mul t1, t1, s6
    add t1, t1, s2
1:  csrr t0, time
    bltu t0, t1, 1b`,
    }),
  // It has used more of the hart than the Trojan, so the Trojan need not give way to it.
  spy: epochs =>
    spyGuest(EPOCH, epochs, {
      measure: `
    csrr t0, time
    sub t0, t0, s4
    li t1, 5500
    add t1, t1, s2
1:  csrr t2, time
    bltu t2, t1, 1b`,
    }),
}
