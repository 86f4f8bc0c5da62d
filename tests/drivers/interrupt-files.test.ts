/** The drivers of an interrupt file and of the APLIC that sends it wires' messages, on those chips. */
import { expect, test } from 'vitest'
import { aplicDriver } from '../../drivers/aplic.ts'
import { fileEnvironment } from '../../drivers/file-environment.ts'
import { imsicDriver } from '../../drivers/imsic.ts'
import { PortEnvironment } from '../../drivers/port-environment.ts'
import { AplicDomain, type AplicTarget } from '../../hw/devices/aplic.ts'
import { Imsic } from '../../hw/devices/imsic.ts'
import { SUPERVISOR_FILE } from '../../hw/hart/interrupt-files.ts'
import type { HartPort } from '../../hw/port.ts'
import type { Csr } from '../../hw/spec/csr.ts'
import { sireg, siselect } from '../../hw/spec/csrs/aia.ts'
import { aplic } from '../../hw/spec/devices/aplic.ts'
import { Wire } from '../hw/devices/bench-top.ts'

const SOURCES = 40

function bench() {
  const seip = new Wire()
  const imsic = new Imsic({ machine: new Wire(), supervisor: seip, guests: [] })
  const target: AplicTarget = {
    line: new Wire(),
    message: (_guest, identity) => imsic.page(SUPERVISOR_FILE).write(0, 4, identity),
  }
  const domain = new AplicDomain([target], SOURCES)
  const root = new AplicDomain([target], SOURCES, domain)
  let selected = 0
  const port = {
    load32: (address: number) => domain.read(address, 4),
    store32: (address: number, value: number) => domain.write(address, 4, value),
    readLow: (csr: Csr) =>
      csr === sireg
        ? Number(imsic.read(SUPERVISOR_FILE, selected) & 0xffff_ffffn)
        : imsic.top(SUPERVISOR_FILE) * 0x10001,
    write: (csr: Csr, value: number) => {
      if (csr === siselect) selected = value
      else if (csr === sireg) imsic.write(SUPERVISOR_FILE, selected, BigInt(value))
      else imsic.claim(SUPERVISOR_FILE)
    },
  } as unknown as HartPort
  const current = { port }
  const file = imsicDriver(fileEnvironment(current, 'imsic').environment)
  const dma = { base: 0, device: 0, bytes: 0 }
  const environment = new PortEnvironment({
    current,
    name: 'aplic',
    registers: 0,
    dma,
    interrupts: [],
    now: () => 0,
    wakeAt: () => {},
  })
  const wires = aplicDriver(environment, { hart: 0 })
  // The firmware delegates every source.
  for (let source = 1; source <= SOURCES; source++) root.write(aplic.sourcecfg.at + (source - 1) * 4, 4, 1 << 10)
  file.start()
  wires.start()
  return { seip, file, wires, root, message: target.message! }
}

test('messages are taken in the order of their numbers; what is not enabled waits', () => {
  const { seip, file, message } = bench()
  for (const identity of [45, 3, 31, 32]) file.enable(identity, 1)
  for (const identity of [45, 32, 31, 7, 3]) message(0, identity)
  expect(seip.level).toBe(true)
  expect([file.claim(), file.claim(), file.claim(), file.claim(), file.claim()]).toEqual([3, 31, 32, 45, 0])
  expect(seip.level).toBe(false)
  file.enable(7, 1)
  expect([seip.level, file.claim()]).toEqual([true, 7])
  file.disable(45)
  message(0, 45)
  expect(file.claim()).toBe(0)
})

test('a wire is a message of its number; another follows if it is still up when the first has been handled (AIA 4.9.2)', () => {
  const { file, wires, root } = bench()
  file.enable(10, 1)
  wires.enable(10)
  const line = root.line(10)
  line.set(true)
  expect([file.claim(), file.claim()]).toEqual([10, 0])
  wires.complete(10)
  expect(file.claim()).toBe(10)
  line.set(false)
  wires.complete(10)
  expect(file.claim()).toBe(0)
  wires.disable(10)
  line.set(true)
  expect(file.claim()).toBe(0)
})
