/** Virtual functions of the card: the physical function's driver, and one driver for each of them, on the card itself. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Environment } from '../../drivers/environment.ts'
import { nicDriver, type NicDevice } from '../../drivers/nic.ts'
import { nicFunctionDriver } from '../../drivers/nic-function.ts'
import { pcieFunctions } from '../../drivers/pcie-functions.ts'
import type { Chip } from '../../hw/bus/chip.ts'
import { Cable } from '../../hw/devices/cable.ts'
import { NicController } from '../../hw/devices/nic/nic-controller.ts'
import { nic } from '../../hw/spec/devices/nic.ts'
import { MAILBOX, nicFunction } from '../../hw/spec/devices/nic-function.ts'
import { requesterId } from '../../hw/spec/devices/pcie.ts'
import { BenchTime, WINDOW32, plugged } from '../hw/devices/bench.ts'
import { FakeEnvironment } from './fake-environment.ts'
import { networkOwner } from './network-owner.ts'

const DEPTH = 6
const MAC = [0x02, 0x12, 0x34, 0x56, 0x78, 0x9a]
const SLOT = 3
const PHYSICAL = requesterId(0, SLOT, 0)
const COUNT = 3
const ADDRESSES = Array.from({ length: COUNT }, (_, index) => [0x02, 0, 0, 0, 0, 0x10 + index])
const STATION = [0x02, 0, 0, 0, 0, 0x99]
/** In PCI memory: the virtual functions' windows. Their drivers' memory, and where their messages go. */
const WINDOWS = 0x20_0000
const OWN_MEMORY = 0x1_0000
const DATA = 0x8_0000
const MESSAGES = 0xf_0000

interface Options {
  readonly polled?: boolean
  readonly promiscuous?: boolean
  readonly abandons?: () => boolean
}

/** The card with its own driver, and `COUNT` virtual functions with theirs; at the far end of the cable, an array. */
function bench({ polled = false, promiscuous = false, abandons }: Options = {}) {
  const time = new BenchTime()
  const cable: Cable = new Cable(
    'cable',
    time.clockFor(() => cable),
  )
  const chip: NicController = new NicController(
    'nic0',
    MAC,
    time.clockFor(() => chip),
    { virtualFunctions: 7 },
  )
  const { host, memory, lines } = plugged(chip, { slot: SLOT })
  const wire: Uint8Array[] = []
  chip.connect(cable, 0)
  cable.attach(1, { receive: frame => void wire.push(frame), carrier: () => {} })
  const part = (offset: number): Chip => ({
    read: (at, bytes) => host.window32.read(offset + at, bytes),
    write: (at, bytes, value) => host.window32.write(offset + at, bytes, value),
  })
  const owned = (
    index: number,
    registers: Chip,
    wires: readonly { readonly level: boolean }[],
    make: (env: Environment) => NicDevice,
  ) => {
    const env = new FakeEnvironment({
      chip: registers,
      time,
      memory,
      lines: wires,
      doorbells: [nic.TDT, nic.RDT, nicFunction.TDT, nicFunction.RDT],
      from: OWN_MEMORY * (index + 1),
      ...(abandons && { abandons }),
    })
    const own = { driver: undefined as NicDevice | undefined }
    const owner = networkOwner(env, memory, made => (own.driver = make(made)), {
      polled,
      data: DATA + index * OWN_MEMORY,
    })
    return { env, owner, driver: () => own.driver! }
  }
  const physical = owned(COUNT, part(0), [lines[SLOT % 4]], env =>
    nicDriver(env, { queueDepth: DEPTH, promiscuous, functions: { count: COUNT, addresses: ADDRESSES } }),
  )
  const configuration = new FakeEnvironment({ chip: host.ecam, time, memory })
  const functions = configuration.construct(env => pcieFunctions(env))
  const virtual = ADDRESSES.map((_, index) => {
    const message = MESSAGES + index * 4
    const wire = {
      get level(): boolean {
        const came = memory.view.getUint32(message, true) !== 0
        memory.view.setUint32(message, 0, true)
        return came
      },
    }
    const window = part(WINDOWS + index * 0x4000)
    return owned(index, window, polled ? [] : [wire], env => nicFunctionDriver(env, { queueDepth: DEPTH }))
  })
  const begin = (): boolean => {
    if (!physical.owner.start()) return false
    configuration.enter(() => functions.enable(PHYSICAL, COUNT, WINDOW32 + WINDOWS))
    return virtual.every(({ owner, env }, index) => {
      power(index)
      physical.env.enter(() => physical.driver().functions!.allow(index, true))
      env.enter(() => owner.card().start())
      return pass(() => env.enter(() => owner.card().linkUp()))
    })
  }
  /** Lets all of them go on in turns until something is so, or for some time. */
  const pass = (until?: () => boolean): boolean => {
    const turns = until ? 60 : 3
    for (let turn = 0; turn < turns; turn++) {
      for (const { env, owner } of [physical, ...virtual]) {
        env.pass(100)
        if (polled) env.enter(() => owner.card().poll(3))
      }
      if (polled) physical.env.enter(() => physical.driver().functions!.attend())
      if (until?.()) return true
    }
    return until === undefined
  }
  /** Bus mastering and the first message, as the owner of the function's configuration grants them. */
  const power = (index: number): void => {
    const id = configuration.enter(() => functions.routingId(PHYSICAL, index))
    configuration.enter(() => functions.master(id, true))
    const table = WINDOWS + (COUNT + index) * 0x4000
    for (const [word, value] of [MESSAGES + index * 4, 0, 1, 0].entries())
      host.window32.write(table + word * 4, 4, value)
    host.ecam.write(id * 0x1000 + 0x92, 2, 0x8000)
  }
  return {
    time,
    cable,
    chip,
    host,
    memory,
    wire,
    physical,
    virtual,
    functions,
    configuration,
    begin,
    pass,
    power,
    part,
  }
}

function frame(to: readonly number[], from: readonly number[], n = 0, bytes = 64): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (i < 6 ? to[i] : i < 12 ? from[i - 6] : (n * 13 + i) & 0xff))
}
const EVERYBODY = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]

for (const options of [{}, { polled: true }] satisfies Options[]) {
  test(`82576 virtual functions ${JSON.stringify(options)}: each sends and receives its own frames, and stops without leaks`, () => {
    const { begin, virtual, physical, wire, cable } = bench(options)
    expect(begin()).toBe(true)
    for (const [index, { owner, env }] of virtual.entries()) {
      expect(env.enter(() => owner.card().mac())).toEqual(ADDRESSES[index])
      for (let tag = 0; tag < DEPTH; tag++) expect(owner.offer(tag, true)).toBe(true)
    }
    for (let n = 0; n < 12; n++) {
      const index = n % COUNT
      const { owner } = virtual[index]
      const out = frame(STATION, ADDRESSES[index], n, 60 + 100 * n)
      const back = frame(ADDRESSES[index], STATION, n, 1514 - n)
      expect(owner.send(n % DEPTH, out)).toBe(true)
      cable.send(1, back)
      expect(owner.runUntil(() => owner.sent() === Math.floor(n / COUNT) + 1)).toBe(true)
      const received: Uint8Array[] = []
      owner.runUntil(() => received.push(...owner.takeReceived()) > 0)
      expect(received).toEqual([back])
      expect(wire.at(-1)).toEqual(out)
      for (const other of virtual) if (other.owner !== owner) expect(other.owner.takeReceived()).toEqual([])
    }
    for (const { owner, env } of [...virtual, physical]) {
      expect(owner.stop()).toBe(true)
      expect(env.leaks()).toBe(0)
    }
  })
}

describe('82576 virtual functions', () => {
  test('frames between them do not go out on the cable; broadcasts go to all, and out', () => {
    const { begin, pass, virtual, wire, physical } = bench()
    begin()
    for (const { owner } of [...virtual, physical]) for (let tag = 0; tag < DEPTH; tag++) owner.offer(tag, true)
    const direct = frame(ADDRESSES[1], ADDRESSES[0], 1, 700)
    virtual[0].owner.send(0, direct)
    pass()
    expect(virtual[1].owner.takeReceived()).toEqual([direct])
    expect(wire).toEqual([])
    const called = frame(EVERYBODY, ADDRESSES[2], 2, 100)
    virtual[2].owner.send(0, called)
    pass()
    for (const index of [0, 1]) expect(virtual[index].owner.takeReceived()).toEqual([called])
    expect(virtual[2].owner.takeReceived()).toEqual([])
    expect(physical.owner.takeReceived()).toEqual([called])
    expect(wire).toEqual([called])
    const home = frame(ADDRESSES[0], MAC, 3, 100)
    physical.owner.send(0, home)
    pass()
    expect(virtual[0].owner.takeReceived()).toEqual([home])
    expect(wire).toEqual([called])
  })

  test("a switch behind the physical function gets what is nobody's, from the cable and from virtual functions", () => {
    const { begin, pass, virtual, physical, cable, wire } = bench({ promiscuous: true })
    begin()
    for (let tag = 0; tag < DEPTH; tag++) physical.owner.offer(tag, true)
    const stranger = [0x02, 0, 0, 0, 0, 0x77]
    const incoming = frame(stranger, STATION, 1)
    cable.send(1, incoming)
    pass()
    expect(physical.owner.takeReceived()).toEqual([incoming])
    const between = frame(stranger, ADDRESSES[0], 2)
    virtual[0].owner.send(0, between)
    pass()
    expect(physical.owner.takeReceived()).toEqual([between])
    expect(wire).toEqual([between])
  })

  test("under another's station address nothing is sent", () => {
    const { begin, pass, virtual, wire } = bench()
    begin()
    const { owner } = virtual[0]
    owner.send(0, frame(STATION, ADDRESSES[1]))
    pass()
    expect(wire).toEqual([])
    owner.send(1, frame(STATION, ADDRESSES[0]))
    pass()
    expect(wire).toHaveLength(1)
  })

  test('one that may not any more is silent and deaf, and goes on where it was once it may', () => {
    const { begin, pass, virtual, physical, wire, cable } = bench()
    begin()
    const { owner } = virtual[1]
    for (let tag = 0; tag < DEPTH; tag++) owner.offer(tag, true)
    const allow = (allowed: boolean) => physical.env.enter(() => physical.driver().functions!.allow(1, allowed))
    allow(false)
    owner.send(0, frame(STATION, ADDRESSES[1]))
    cable.send(1, frame(ADDRESSES[1], STATION))
    pass()
    expect([wire.length, owner.takeReceived().length, owner.sent()]).toEqual([0, 0, 0])
    allow(true)
    cable.send(1, frame(ADDRESSES[1], STATION))
    pass()
    expect([wire.length, owner.takeReceived().length, owner.sent()]).toEqual([1, 1, 1])
  })

  test('a function level reset takes one from whoever has it, and the next owner begins anew', () => {
    const { begin, pass, virtual, configuration, functions, power, wire } = bench()
    begin()
    const { owner } = virtual[2]
    const id = configuration.enter(() => functions.routingId(PHYSICAL, 2))
    configuration.enter(() => functions.reset(id))
    pass()
    owner.send(0, frame(STATION, ADDRESSES[2]))
    pass()
    expect(wire).toEqual([])
    power(2)
    expect(owner.stop()).toBe(true)
    owner.remake()
    expect(virtual[2].env.leaks()).toBe(0)
  })

  test('nothing that a virtual function writes gives it more than it has, or keeps the others from theirs', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constantFrom(0x800, 0x804, 0x808, 0xc40, 0x1520, 0x1524, 0x1700, 0x1740, 0x2818, 0x2828, 0),
            fc.nat(0xffff_ffff),
          ),
          { maxLength: 20 },
        ),
        fc.array(fc.constantFrom(1, 2, 3, 4, 5, 6, 0x100), { maxLength: 3 }),
        (writes, messages) => {
          const { begin, pass, virtual, part, cable } = bench()
          begin()
          for (let tag = 0; tag < DEPTH; tag++) virtual[1].owner.offer(tag, true)
          const bad = part(WINDOWS)
          for (const [at, value] of writes) bad.write(at, 4, value)
          for (const kind of messages) {
            bad.write(nicFunction.V2PMAILBOX.at, 4, 4)
            bad.write(nicFunction.VMBMEM.at, 4, kind)
            for (const [word, value] of [0x0000_0002, 0x1100].entries())
              bad.write(nicFunction.VMBMEM.at + 4 + word * 4, 4, value)
            bad.write(nicFunction.V2PMAILBOX.at, 4, 1)
            pass()
            if (kind !== MAILBOX.RESET) expect(bad.read(nicFunction.VMBMEM.at, 4) & MAILBOX.TYPE).toBe(kind)
          }
          pass()
          // the second's address and its pool are still its own
          const back = frame(ADDRESSES[1], STATION, 1, 200)
          cable.send(1, back)
          pass()
          expect(virtual[1].owner.takeReceived()).toEqual([back])
        },
      ),
      { numRuns: 25 },
    )
  })
})
