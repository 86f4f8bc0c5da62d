/** The interrupt controllers of board `virt`: a PLIC, or an APLIC with or without IMSICs. */
import type { Wiring } from '../board.ts'
import type { Chip, Dma, Line } from '../bus/chip.ts'
import { AplicDomain, type AplicTarget } from '../devices/aplic.ts'
import { Imsic } from '../devices/imsic.ts'
import { Plic } from '../devices/plic.ts'
import { MACHINE_FILE } from '../hart/interrupt-files.ts'
import { PAGE_BYTES } from '../spec/address.ts'
import { filePages } from '../spec/devices/imsic.ts'
import { VIRT_MAP, VIRT_SOURCES } from './virt-map.ts'

export type AiaChoice = 'aplic' | 'aplic-imsic'

/** Where the wires of chips end. */
export interface Controller {
  line(source: number): Line
}

export function wirePlic(wiring: Wiring): Controller {
  const plic = new Plic(
    wiring.harts.flatMap(({ meip, seip }) => [meip, seip]),
    VIRT_SOURCES.highest,
  )
  wiring.enroll('plic', plic)
  wiring.bus.attach('plic', VIRT_MAP.plic.base, VIRT_MAP.plic.bytes, plic)
  return plic
}

/** Where devices' messages arrive: a window, and the chip behind it. */
export interface Messages {
  readonly base: number
  readonly bytes: number
  readonly chip: Chip
}

export function wireAia(
  wiring: Wiring,
  choice: AiaChoice,
  guestFiles: number,
): { controller: Controller; messages: Messages | undefined } {
  const { bus, harts } = wiring
  const imsics = choice === 'aplic' ? [] : wireImsics(wiring, guestFiles)
  if (choice === 'aplic') harts.forEach((_, hart) => wiring.aia(hart, undefined))
  const write = (chip: Chip, identity: number) => chip.write(0, 4, identity)
  const targets = (machine: boolean): AplicTarget[] =>
    harts.map(({ meip, seip }, hart) => ({
      line: machine ? meip : seip,
      ...(imsics[hart] && {
        message: (guest: number, identity: number) => {
          if (guest <= guestFiles) write(imsics[hart].page(machine ? MACHINE_FILE : guest), identity)
        },
      }),
    }))
  const supervisor = new AplicDomain(targets(false), VIRT_SOURCES.highest)
  const machine = new AplicDomain(targets(true), VIRT_SOURCES.highest, supervisor)
  wiring.enroll('aplic', machine)
  wiring.enroll('aplic-supervisor', supervisor)
  bus.attach('aplic', VIRT_MAP.aplicMachine.base, VIRT_MAP.aplicMachine.bytes, machine)
  bus.attach('aplic-supervisor', VIRT_MAP.aplicSupervisor.base, VIRT_MAP.aplicSupervisor.bytes, supervisor)
  if (choice === 'aplic') return { controller: machine, messages: undefined }
  const pages = filePages(guestFiles)
  return {
    controller: machine,
    messages: {
      base: VIRT_MAP.imsicSupervisor.base,
      bytes: harts.length * pages * PAGE_BYTES,
      chip: {
        read: () => 0,
        write: (offset, bytes, value) => {
          const page = Math.floor(offset / PAGE_BYTES)
          const file = page % pages
          if (file <= guestFiles) imsics[Math.floor(page / pages)].page(file).write(offset % PAGE_BYTES, bytes, value)
        },
      },
    },
  }
}

function wireImsics(wiring: Wiring, guestFiles: number): Imsic[] {
  const { bus } = wiring
  return wiring.harts.map(({ meip, seip, guest }, hart) => {
    const guests = Array.from({ length: guestFiles }, (_, index) => guest(index + 1))
    const imsic = new Imsic({ machine: meip, supervisor: seip, guests })
    wiring.enroll(`imsic${hart}`, imsic)
    wiring.aia(hart, imsic)
    bus.attach(
      `imsic${hart}-machine`,
      VIRT_MAP.imsicMachine.base + hart * PAGE_BYTES,
      PAGE_BYTES,
      imsic.page(MACHINE_FILE),
    )
    const base = VIRT_MAP.imsicSupervisor.base + hart * filePages(guestFiles) * PAGE_BYTES
    for (let file = 0; file <= guestFiles; file++)
      bus.attach(`imsic${hart}-file${file}`, base + file * PAGE_BYTES, PAGE_BYTES, imsic.page(file))
    return imsic
  })
}

/** Memory and the pages of interrupt files, as devices write to them. */
export function withMessages(memory: Dma, { base, bytes, chip }: Messages): Dma {
  return {
    read: (address, into) => memory.read(address, into),
    write(address, from) {
      if (address < base || address >= base + bytes) return memory.write(address, from)
      if (from.length !== 4 || address % 4 !== 0) return false
      chip.write(address - base, 4, new DataView(from.buffer, from.byteOffset).getUint32(0, true))
      return true
    },
  }
}
