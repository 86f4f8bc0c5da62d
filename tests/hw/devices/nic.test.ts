import { describe, expect, test } from 'vitest'
import type { Plain } from '../../../hw/bus/chip.ts'
import { Cable } from '../../../hw/devices/cable.ts'
import type { Port } from '../../../hw/devices/cable.ts'
import { add16, fold16, frameCheck, get16, put16 } from '../../../hw/devices/nic/checksum.ts'
import { parse } from '../../../hw/devices/nic/frame.ts'
import { NicController } from '../../../hw/devices/nic/nic-controller.ts'
import { Station } from '../../../hw/devices/station.ts'
import { MDIC_OPERATION, NVM_SUM, NVM_WORD, nic, phy } from '../../../hw/spec/devices/nic.ts'
import { fieldOf } from '../../../hw/spec/registers.ts'
import type { Register } from '../../../hw/spec/registers.ts'
import { BenchTime, plugged } from './bench.ts'

const MAC = [0x52, 0x54, 0, 0x12, 0x34, 0x56]
const PEER = [2, 0, 0, 0, 0, 1]
const IP = [10, 0, 0, 2]
const PEER_IP = [10, 0, 0, 1]
const TX_RING = 0x1000
const RX_RING = 0x2000
const TX_DATA = 0x1_0000
const RX_DATA = 0x4_0000
const RING = 16
const MSIX_BAR = 0x10_0000

/** Records what comes out of the cable. */
class Listener implements Port {
  frames: Uint8Array[] = []
  at: number[] = []
  readonly #time: BenchTime
  constructor(time: BenchTime) {
    this.#time = time
  }

  carrier(): void {}
  receive(frame: Uint8Array): void {
    this.frames.push(frame)
    this.at.push(this.#time.now)
  }
}

function bench({ msix = false, far }: { msix?: boolean; far?: (time: BenchTime, cable: Cable) => void } = {}) {
  const time = new BenchTime()
  const chip: NicController = new NicController(
    'nic0',
    MAC,
    time.clockFor(() => chip),
  )
  const cable: Cable = new Cable(
    'cable0',
    time.clockFor(() => cable),
    { metres: 0 },
  )
  const { host, memory, lines, config } = plugged(chip, { msix })
  config.write({ at: 0x1c, width: 32 }, 0x4000_0000 + MSIX_BAR)
  const listener = new Listener(time)
  chip.connect(cable, 0)
  if (far) far(time, cable)
  else cable.attach(1, listener)
  const read = (register: Register, index = 0) => host.window32.read(register.at + index * (register.stride ?? 0), 4)
  const write = (register: Register, value: number, index = 0) =>
    host.window32.write(register.at + index * (register.stride ?? 0), 4, value >>> 0)
  const pin = lines[1]
  let tail = 0

  /** Link up, rings of RING descriptors on queue 0, 2 KiB buffers, everything received. */
  const start = () => {
    write(nic.CTRL, 0x41)
    time.run(() => fieldOf(nic.STATUS.fields.LU, read(nic.STATUS)) === 1)
    write(nic.TDBAL, TX_RING)
    write(nic.TDLEN, RING * 16)
    write(nic.TXDCTL, 1 << 25)
    write(nic.TCTL, 0xa)
    write(nic.RDBAL, RX_RING)
    write(nic.RDLEN, RING * 16)
    write(nic.SRRCTL, 0x0200_0002)
    for (let i = 0; i < RING; i++) memory.store64(RX_RING + i * 16, RX_DATA + i * 2048)
    write(nic.RXDCTL, 1 << 25)
    write(nic.RCTL, 0x0400_8002)
    write(nic.RDT, RING - 1)
    read(nic.ICR)
  }
  const descriptor = (words: readonly number[]) => {
    words.forEach((word, i) => memory.view.setUint32(TX_RING + tail * 16 + i * 4, word >>> 0, true))
    tail = (tail + 1) % RING
  }
  /** Queues a frame with an advanced descriptor; `popts` are the bits of OPTIONS. */
  const send = (frame: Uint8Array, { command = 0, options = 0, payload = frame.length } = {}) => {
    memory.bytes.set(frame, TX_DATA)
    descriptor([TX_DATA, 0, (0x2b30_0000 | command | frame.length) >>> 0, (payload << 14) | options])
    write(nic.TDT, tail)
  }
  const received = (index: number) => {
    const at = RX_RING + index * 16
    const length = memory.view.getUint16(at + 12, true)
    return {
      status: memory.view.getUint32(at + 8, true),
      info: memory.view.getUint32(at, true),
      vlan: memory.view.getUint16(at + 14, true),
      data: memory.bytes.slice(RX_DATA + index * 2048, RX_DATA + index * 2048 + length),
    }
  }
  return {
    time,
    chip,
    cable,
    host,
    memory,
    lines,
    pin,
    config,
    listener,
    read,
    write,
    start,
    descriptor,
    send,
    received,
  }
}

function udpFrame(payload: number, to = PEER, from = MAC): Uint8Array {
  const frame = new Uint8Array(42 + payload)
  frame.set([...to, ...from, 0x08, 0x00, 0x45, 0])
  put16(frame, 16, 28 + payload)
  frame.set([64, 17], 22)
  frame.set([...IP, ...PEER_IP], 26)
  put16(frame, 24, ~fold16(add16(frame, 14, 34)) & 0xffff)
  put16(frame, 34, 5000)
  put16(frame, 36, 9)
  put16(frame, 38, 8 + payload)
  for (let i = 0; i < payload; i++) frame[42 + i] = i & 0xff
  const pseudo = add16(frame, 26, 34) + 17 + 8 + payload
  put16(frame, 40, ~fold16(add16(frame, 34, frame.length, pseudo)) & 0xffff)
  return frame
}

describe('Intel 82576', () => {
  test('a frame leaves later by what its translation took, and is announced later by what its own took', () => {
    const { start, send, time, listener, chip, cable, read } = bench()
    start()
    const sent = () => {
      const before = time.now
      const known = listener.frames.length
      send(udpFrame(100))
      time.run(() => listener.frames.length > known)
      return time.now - before
    }
    const announced = () => {
      const before = time.now
      cable.send(1, udpFrame(100, MAC, PEER))
      time.run(() => (read(nic.ICR) & 0x80) !== 0)
      return time.now - before
    }
    const [out, back] = [sent(), announced()]
    let owed = 0
    chip.function.dma.waited = () => {
      const nanoseconds = owed
      owed = 400
      return nanoseconds
    }
    expect([sent() - out, announced() - back]).toEqual([400, 400])
  })

  test('8.4.2: the NVM holds the station address and adds up', () => {
    const { read, write } = bench()
    const word = (address: number) => {
      write(nic.EERD, (address << nic.EERD.fields.ADDR.low) | 1)
      expect(fieldOf(nic.EERD.fields.DONE, read(nic.EERD))).toBe(1)
      return read(nic.EERD) >>> 16
    }
    expect([word(0), word(1), word(2)]).toEqual([0x5452, 0x1200, 0x5634])
    let sum = 0
    for (let i = 0; i <= NVM_WORD.CHECKSUM; i++) sum += word(i)
    expect(sum & 0xffff).toBe(NVM_SUM)
    expect(read(nic.RAL)).toBe(0x1200_5452)
    expect(read(nic.RAH)).toBe(0x8000_5634)
  })

  test('8.2.4: MDIC reads and writes the PHY, and errs at another address', () => {
    const { read, write, time } = bench()
    const mdic = (address: number, register: number, operation: number, data = 0) => {
      write(nic.MDIC, data | (register << 16) | (address << 21) | (operation << 26))
      expect(fieldOf(nic.MDIC.fields.R, read(nic.MDIC))).toBe(0)
      time.run(() => fieldOf(nic.MDIC.fields.R, read(nic.MDIC)) === 1)
      return read(nic.MDIC)
    }
    expect(mdic(1, phy.PHYID1, MDIC_OPERATION.read) & 0xffff).toBe(0x02a8)
    expect(mdic(1, phy.PHYID2, MDIC_OPERATION.read) & 0xffff).toBe(0x0391)
    expect(fieldOf(nic.MDIC.fields.E, mdic(3, phy.PHYID1, MDIC_OPERATION.read))).toBe(1)
    mdic(1, phy.ANA, MDIC_OPERATION.write, 0x0de1)
    expect(mdic(1, phy.ANA, MDIC_OPERATION.read) & 0xffff).toBe(0x0de1)
  })

  test('the link comes up by negotiation, goes with the cable, and tells of both by ICR.LSC', () => {
    const { read, write, time, cable } = bench()
    write(nic.CTRL, 0x41)
    expect(fieldOf(nic.STATUS.fields.LU, read(nic.STATUS))).toBe(0)
    time.run()
    expect(fieldOf(nic.STATUS.fields.LU, read(nic.STATUS))).toBe(1)
    expect(fieldOf(nic.ICR.fields.LSC, read(nic.ICR))).toBe(1)
    cable.plug(false)
    expect(fieldOf(nic.STATUS.fields.LU, read(nic.STATUS))).toBe(0)
    expect(fieldOf(nic.ICR.fields.LSC, read(nic.ICR))).toBe(1)
    expect(read(nic.ICR)).toBe(0)
  })

  test('8.7.1: reading SWSM takes SMBI', () => {
    const { read, write } = bench()
    expect(read(nic.SWSM) & 1).toBe(0)
    expect(read(nic.SWSM) & 1).toBe(1)
    write(nic.SWSM, 2)
    expect(read(nic.SWSM)).toBe(2)
  })

  test('frames leave at line rate: 84 bytes a minimal frame, 1,538 a full one', () => {
    const { start, send, time, listener, memory, descriptor, write } = bench()
    start()
    memory.bytes.set(udpFrame(1472), TX_DATA)
    for (let i = 0; i < 4; i++) descriptor([TX_DATA, 0, 0x2330_0000 | 1514, 1514 << 14])
    write(nic.TDT, 4)
    time.run()
    expect(listener.at.slice(1).map((at, i) => at - listener.at[i])).toEqual([12_304, 12_304, 12_304])
    send(udpFrame(1))
    const sent = time.now
    time.run()
    expect(listener.frames[4].length).toBe(60)
    expect(listener.at[4] - sent).toBe(672 + 550)
  })

  test('7.2.2.3: RS has DD written back, with TXDW', () => {
    const { start, send, time, memory, read, write } = bench()
    start()
    write(nic.IMS, 1)
    send(udpFrame(100))
    time.run()
    expect(memory.view.getUint32(TX_RING + 12, true) & 1).toBe(1)
    expect(read(nic.TDH)).toBe(1)
    expect(read(nic.ICR) & 1).toBe(1)
    expect(read(nic.GPTC)).toBe(1)
    expect(read(nic.GPTC)).toBe(0)
  })

  test('7.2.4.4: checksums are inserted over a pseudo header sum', () => {
    const { start, send, time, listener, descriptor } = bench()
    start()
    const whole = udpFrame(333)
    const sent = whole.slice()
    put16(sent, 24, 0)
    put16(sent, 40, fold16(add16(sent, 26, 34) + 17 + 341))
    descriptor([(14 << 9) | 20, 0, 0x2020_0400, 0])
    send(sent, { options: 0x300 })
    time.run()
    expect(listener.frames).toEqual([whole])
  })

  test('7.2.4.6: a TCP packet is cut into segments that are right each by itself', () => {
    const { start, time, listener, descriptor, memory, write } = bench()
    start()
    const payload = 3000
    const packet = new Uint8Array(54 + payload)
    packet.set([...PEER, ...MAC, 0x08, 0x00, 0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0, ...IP, ...PEER_IP])
    new DataView(packet.buffer).setUint32(38, 1000)
    packet.set([0x50, 0x19], 46)
    put16(packet, 50, fold16(add16(packet, 26, 34) + 6))
    for (let i = 0; i < payload; i++) packet[54 + i] = (i * 3) & 0xff
    memory.bytes.set(packet, TX_DATA)
    descriptor([(14 << 9) | 20, 0, 0x2020_0c00, (1460 << 16) | (20 << 8)])
    descriptor([TX_DATA, 0, 0xa230_0000 | 1000, (payload << 14) | 0x300])
    descriptor([TX_DATA + 1000, 0, 0xab30_0000 | (packet.length - 1000), 0])
    write(nic.TDT, 3)
    time.run()
    expect(listener.frames.map(frame => frame.length)).toEqual([1514, 1514, 134])
    for (const [i, frame] of listener.frames.entries()) {
      const parsed = parse(frame)
      expect(parsed.networkSumHolds).toBe(true)
      expect(parsed.transportSumHolds).toBe(true)
      expect(get16(frame, 18)).toBe(0x1234 + i)
      expect(new DataView(frame.buffer).getUint32(38)).toBe(1000 + i * 1460)
      expect(frame[47]).toBe(i === 2 ? 0x19 : 0x10)
    }
    const joined = listener.frames.flatMap(frame => [...frame.subarray(54, parse(frame).end)])
    expect(joined).toEqual([...packet.subarray(54)])
  })

  test('7.1.5.2: a received frame is described, and its bad checksum reported', () => {
    const { start, cable, time, received, read } = bench()
    start()
    const good = udpFrame(64, MAC, PEER)
    const bad = good.slice()
    bad[60] ^= 1
    cable.send(1, good)
    cable.send(1, bad)
    time.run()
    const first = received(0)
    expect(first.data).toEqual(good)
    expect(first.status & 0x77).toBe(0x73)
    expect(first.status >>> 29).toBe(0)
    expect((first.info >>> 4) & 0xff).toBe(1 | 32)
    expect(received(1).status >>> 29).toBe(1)
    expect(read(nic.RDH)).toBe(2)
    expect(read(nic.GPRC)).toBe(2)
  })

  test.each([
    ['its own address', MAC, {}, true],
    ['another address', PEER, {}, false],
    ['another address, promiscuously', PEER, { rctl: 8 }, true],
    ['broadcast', [255, 255, 255, 255, 255, 255], {}, true],
    ['an unknown multicast address', [1, 0, 0x5e, 0, 0, 1], {}, false],
    [
      'a hashed multicast address',
      [1, 0, 0x5e, 0, 0, 1],
      { mta: [(0x0100 >>> 4) >>> 5, 1 << ((0x0100 >>> 4) & 31)] },
      true,
    ],
  ] as const)(
    '7.1.1: takes or leaves %s',
    (_what, to, { rctl = 0, mta }: { rctl?: number; mta?: readonly [number, number] }, taken) => {
      const { start, cable, time, received, write } = bench()
      start()
      write(nic.RCTL, 0x0400_8002 | rctl)
      if (mta) write(nic.MTA, mta[1], mta[0])
      cable.send(1, udpFrame(64, [...to], PEER))
      time.run()
      expect((received(0).status & 1) === 1).toBe(taken)
    },
  )

  test('7.1.1.7: RSS hashes as its published example, and RETA chooses the queue', () => {
    const { start, cable, time, write, memory, read } = bench()
    start()
    const key = '6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa'
    Buffer.from(key, 'hex').forEach((byte, i) =>
      write(nic.RSSRK, read(nic.RSSRK, i >>> 2) | (byte << ((i & 3) * 8)), i >>> 2),
    )
    write(nic.MRQC, 0x0003_0002)
    write(nic.RXCSUM, 0x2300)
    write(nic.RETA, 3, 0x78 >>> 2)
    for (const [register, value] of [
      [nic.RDBAL, 0x3000],
      [nic.RDLEN, RING * 16],
      [nic.SRRCTL, 0x0200_0002],
      [nic.RXDCTL, 1 << 25],
      [nic.RDT, RING - 1],
    ] as const) {
      write(register, value, 3)
    }
    memory.store64(0x3000, RX_DATA)
    const frame = new Uint8Array(60)
    frame.set([
      ...MAC,
      ...PEER,
      0x08,
      0x00,
      0x45,
      0,
      0,
      40,
      0,
      0,
      0,
      0,
      64,
      6,
      0,
      0,
      66,
      9,
      149,
      187,
      161,
      142,
      100,
      80,
    ])
    put16(frame, 34, 2794)
    put16(frame, 36, 1766)
    cable.send(1, frame)
    time.run()
    expect(memory.view.getUint32(0x3004, true)).toBe(0x51cc_c178)
    expect(memory.view.getUint32(0x3000, true) & 15).toBe(1)
    expect(read(nic.RDH, 3)).toBe(1)
  })

  test('8.2.1: VLAN tags go by descriptor in both directions', () => {
    const { start, cable, time, received, write, send, listener, descriptor } = bench()
    start()
    write(nic.CTRL, 0x4000_0041)
    const plain = udpFrame(64, MAC, PEER)
    const taggedFrame = Uint8Array.from([...plain.subarray(0, 12), 0x81, 0x00, 0x60, 0x05, ...plain.subarray(12)])
    cable.send(1, taggedFrame)
    time.run()
    expect(received(0).data).toEqual(plain)
    expect(received(0).vlan).toBe(0x6005)
    expect(received(0).status & 8).toBe(8)
    descriptor([(0x6005 << 16) | (14 << 9) | 20, 0, 0x2020_0000, 0])
    send(plain, { command: 0x4000_0000 })
    time.run()
    expect(listener.frames).toEqual([taggedFrame])
  })

  test('7.1.3: frames wait in the packet buffer for descriptors, and what overflows it is missed', () => {
    const { start, cable, time, read, write, received } = bench()
    start()
    for (let i = 0; i < 80; i++) cable.send(1, udpFrame(1400, MAC, PEER))
    time.run()
    expect(read(nic.RDH)).toBe(RING - 1)
    // 64 KiB hold 45 frames of 1442 bytes
    expect(read(nic.MPC)).toBe(80 - (RING - 1) - 45)
    write(nic.RDT, RING - 2)
    time.run()
    expect(read(nic.RDH)).toBe(RING - 2)
    expect(received(RING - 1).status & 1).toBe(1)
  })

  test('frames with a wrong check sequence are counted and dropped; kept ones end in their check sequence without SECRC', () => {
    const { start, cable, time, read, write, received } = bench()
    start()
    cable.faults = [
      { kind: 'corrupt', from: 1, frame: 0 },
      { kind: 'drop', from: 1, frame: 1 },
    ]
    write(nic.RCTL, 0x8002)
    const frame = udpFrame(64, MAC, PEER)
    for (let i = 0; i < 3; i++) cable.send(1, frame)
    time.run()
    expect(read(nic.CRCERRS)).toBe(1)
    expect(read(nic.RDH)).toBe(1)
    const { data } = received(0)
    expect(data.length).toBe(frame.length + 4)
    expect(new DataView(data.buffer).getUint32(frame.length, true)).toBe(frameCheck(frame))
  })

  test('7.3.1: by the pin: ICR tells and clears, IAM masks, ITR spaces', () => {
    const { start, cable, time, pin, read, write } = bench()
    start()
    write(nic.EITR, 100 << 2)
    write(nic.IMS, 0x80)
    write(nic.IAM, 0x80)
    const frame = udpFrame(64, MAC, PEER)
    cable.send(1, frame)
    time.run(() => pin.level)
    const first = time.now
    expect(read(nic.ICR)).toBe(0x8000_0080)
    expect(pin.level).toBe(false)
    expect(read(nic.IMS)).toBe(0)
    cable.send(1, frame)
    time.run()
    expect(pin.level).toBe(false)
    write(nic.IMS, 0x80)
    expect(pin.level).toBe(false)
    expect(read(nic.ICR) >>> 31).toBe(0)
    cable.send(1, frame)
    time.run(() => pin.level)
    expect(time.now - first).toBe(100_000)
  })

  test('7.3.2: by MSI-X: a vector for each queue, cleared and masked by itself', () => {
    const { start, cable, time, pin, read, write, memory, host, config } = bench({ msix: true })
    start()
    config.write({ at: 0x92, width: 16 }, 0x8000)
    for (const vector of [0, 1]) {
      host.window32.write(MSIX_BAR + vector * 16, 4, 0x500 + vector * 4)
      host.window32.write(MSIX_BAR + vector * 16 + 8, 4, 0xa0 + vector)
      host.window32.write(MSIX_BAR + vector * 16 + 12, 4, 0)
    }
    write(nic.GPIE, 0xc000_0011)
    write(nic.IVAR, 0x81)
    write(nic.IVAR_MISC, 0x8000)
    write(nic.EIAC, 3)
    write(nic.EIAM, 3)
    write(nic.EIMS, 3)
    write(nic.IMS, 4)
    cable.send(1, udpFrame(64, MAC, PEER))
    time.run()
    expect(memory.view.getUint32(0x504, true)).toBe(0xa1)
    expect(read(nic.EIMS)).toBe(1)
    expect(read(nic.EICR)).toBe(0)
    cable.plug(false)
    expect(memory.view.getUint32(0x500, true)).toBe(0xa0)
    expect(pin.rises).toBe(0)
  })

  test('the older addresses of queue and interrupt registers are the same registers', () => {
    const { host, read, write } = bench()
    write(nic.RDBAL, 0x1234_5680, 2)
    expect(host.window32.read(0x2a00, 4)).toBe(0x1234_5680)
    host.window32.write(0x3918, 4, 7)
    expect(read(nic.TDT, 1)).toBe(7)
    host.window32.write(0x00d0, 4, 4)
    expect(read(nic.IMS)).toBe(4)
  })

  test('a station answers ping', () => {
    const { start, send, time, received } = bench({
      far: (time, cable) => {
        const station: Station = new Station(
          'station',
          { mac: PEER, ip: PEER_IP },
          time.clockFor(() => station),
        )
        station.connect(cable, 1)
      },
    })
    start()
    const arp = Uint8Array.from([
      255,
      255,
      255,
      255,
      255,
      255,
      ...MAC,
      8,
      6,
      0,
      1,
      8,
      0,
      6,
      4,
      0,
      1,
      ...MAC,
      ...IP,
      0,
      0,
      0,
      0,
      0,
      0,
      ...PEER_IP,
    ])
    send(arp)
    time.run()
    expect([...received(0).data.subarray(0, 42)]).toEqual([
      ...MAC,
      ...PEER,
      8,
      6,
      0,
      1,
      8,
      0,
      6,
      4,
      0,
      2,
      ...PEER,
      ...PEER_IP,
      ...MAC,
      ...IP,
    ])
    const ping = udpFrame(56)
    ping[23] = 1
    put16(ping, 24, 0)
    put16(ping, 24, ~fold16(add16(ping, 14, 34)) & 0xffff)
    ping.set([8, 0, 0, 0], 34)
    put16(ping, 36, ~fold16(add16(ping, 34, ping.length)) & 0xffff)
    send(ping)
    time.run()
    const reply = received(1).data
    expect(reply[34]).toBe(0)
    expect(fold16(add16(reply, 34, reply.length))).toBe(0xffff)
    expect(reply.subarray(38)).toEqual(ping.subarray(38))
    expect(parse(reply).networkSumHolds).toBe(true)
  })

  test('a saved card goes on as the one it was saved from', () => {
    const first = bench()
    first.start()
    for (let i = 0; i < 5; i++) first.send(udpFrame(100 + i))
    for (let i = 0; i < 3; i++) first.cable.send(1, udpFrame(64, MAC, PEER))
    for (let i = 0; i < 4; i++) first.time.step()
    const second = bench()
    second.chip.restore(structuredClone(first.chip.save() as object) as Plain)
    second.cable.restore(first.cable.save())
    second.memory.bytes.set(first.memory.bytes)
    second.time.now = first.time.now
    second.time.events = first.time.events.map(event => ({
      ...event,
      target: () => (event.target() === first.chip ? second.chip : second.cable),
    }))
    const before = first.listener.frames.length
    first.time.run()
    second.time.run()
    expect(Buffer.compare(second.memory.bytes, first.memory.bytes)).toBe(0)
    expect(second.listener.frames).toEqual(first.listener.frames.slice(before))
    expect(second.chip.save()).toEqual(first.chip.save())
  })
})
