import { describe, expect, test } from 'vitest'
import type { Plain } from '../../../hw/bus/chip.ts'
import { MemoryBacking, SECTOR_BYTES } from '../../../hw/devices/disk-backing.ts'
import { NvmeController } from '../../../hw/devices/nvme/nvme-controller.ts'
import type { NvmeOptions } from '../../../hw/devices/nvme/nvme-controller.ts'
import { ADMIN, CNS, FEATURE, LOG, NVM, STATUS, nvme } from '../../../hw/spec/devices/nvme.ts'
import { completionEntry, identifyController, identifyNamespace, smartLog } from '../../../hw/spec/layouts/nvme.ts'
import { fieldOf } from '../../../hw/spec/registers.ts'
import { p4800x } from '../../../hw/time/prices-devices.ts'
import { BenchTime, plugged } from './bench.ts'

const DEPTH = 64
const SECTORS = 1 << 20
const ADMIN_SQ = 0x1000
const ADMIN_CQ = 0x2000
const IO_SQ = 0x3000
const IO_CQ = 0x4000
const DATA = 0x8_0000
const LIST = 0x6000

interface Words {
  readonly nsid?: number
  readonly prp1?: number
  readonly prp2?: number
  readonly cdw10?: number
  readonly cdw11?: number
  readonly cdw12?: number
  readonly cid?: number
}

/** A host that speaks to one controller through its BAR. */
function bench(options: NvmeOptions = {}, backing = new MemoryBacking(SECTORS), msix = false) {
  const time = new BenchTime()
  const chip: NvmeController = new NvmeController(
    'disk0',
    backing,
    time.clockFor(() => chip),
    options,
  )
  const { host, memory, lines, config } = plugged(chip, { msix })
  const read = (at: number) => host.window32.read(at, 4)
  const write = (at: number, value: number) => host.window32.write(at, 4, value)
  const queues = [
    { sq: ADMIN_SQ, cq: ADMIN_CQ, tail: 0, head: 0, phase: 1 },
    { sq: IO_SQ, cq: IO_CQ, tail: 0, head: 0, phase: 1 },
  ]
  let cid = 0

  const enable = () => {
    for (const queue of queues) Object.assign(queue, { tail: 0, head: 0, phase: 1 })
    memory.bytes.fill(0, ADMIN_SQ, IO_CQ + 0x1000)
    write(nvme.AQA.at, ((DEPTH - 1) << 16) | (DEPTH - 1))
    write(nvme.ASQ.at, ADMIN_SQ)
    write(nvme.ACQ.at, ADMIN_CQ)
    write(nvme.CC.at, 0x0046_0001)
    time.run(() => fieldOf(nvme.CSTS.fields.RDY, read(nvme.CSTS.at)) === 1)
  }
  const put = (id: number, opcode: number, words: Words = {}) => {
    const queue = queues[id]
    const at = queue.sq + queue.tail * 64
    const used = words.cid ?? cid++ & 0xffff
    memory.bytes.fill(0, at, at + 64)
    memory.view.setUint32(at, opcode | (used << 16), true)
    memory.view.setUint32(at + 4, words.nsid ?? (id === 0 ? 0 : 1), true)
    memory.store64(at + 24, words.prp1 ?? DATA)
    memory.store64(at + 32, words.prp2 ?? 0)
    memory.view.setUint32(at + 40, words.cdw10 ?? 0, true)
    memory.view.setUint32(at + 44, words.cdw11 ?? 0, true)
    memory.view.setUint32(at + 48, words.cdw12 ?? 0, true)
    queue.tail = (queue.tail + 1) % DEPTH
    return used
  }
  const ring = (id: number) => write(nvme.SQTDBL.at + id * 8, queues[id].tail)
  /** The next completion, or nothing if none has been posted. */
  const poll = (id: number) => {
    const queue = queues[id]
    const at = queue.cq + queue.head * 16
    const dw3 = memory.view.getUint32(at + completionEntry.DW3.at, true)
    if (fieldOf(completionEntry.DW3.fields.P, dw3) !== queue.phase) return undefined
    queue.head = (queue.head + 1) % DEPTH
    if (queue.head === 0) queue.phase ^= 1
    return { cid: dw3 & 0xffff, status: (dw3 >>> 17) & 0x7ff, result: memory.view.getUint32(at, true) }
  }
  const consume = (id: number) => write(nvme.CQHDBL.at + id * 8, queues[id].head)
  const command = (id: number, opcode: number, words: Words = {}) => {
    put(id, opcode, words)
    ring(id)
    let found: ReturnType<typeof poll>
    time.run(() => (found = poll(id)) !== undefined)
    consume(id)
    if (!found) throw new Error('no completion')
    return found
  }
  const createIo = (id = 1, vector = 0) => {
    command(0, ADMIN.CREATE_IO_CQ, { prp1: IO_CQ, cdw10: ((DEPTH - 1) << 16) | id, cdw11: (vector << 16) | 3 })
    return command(0, ADMIN.CREATE_IO_SQ, { prp1: IO_SQ, cdw10: ((DEPTH - 1) << 16) | id, cdw11: (id << 16) | 1 })
  }
  const transfer = (opcode: number, sector: number, count: number, more: Words & { fua?: boolean } = {}) =>
    command(1, opcode, {
      cdw10: sector >>> 0,
      cdw11: Math.floor(sector / 2 ** 32),
      cdw12: (count - 1) | (more.fua ? 1 << 30 : 0),
      ...more,
    })
  const fill = (seed: number, bytes: number, at = DATA) => {
    for (let i = 0; i < bytes; i++) memory.bytes[at + i] = (seed + i * 7 + (i >>> 8)) & 0xff
    return memory.bytes.slice(at, at + bytes)
  }
  return {
    time,
    chip,
    host,
    memory,
    lines,
    config,
    backing,
    read,
    write,
    enable,
    put,
    ring,
    poll,
    consume,
    command,
    createIo,
    transfer,
    fill,
  }
}

function ready(options?: NvmeOptions, backing?: MemoryBacking) {
  const made = bench(options, backing)
  made.enable()
  made.createIo()
  return made
}

describe('NVMe controller', () => {
  test('3.1: says what it can before it is enabled, and is ready some time after CC.EN', () => {
    const { read, write, enable, time } = bench()
    expect(read(nvme.VS.at)).toBe(0x0001_0400)
    expect(fieldOf(nvme.CAP.fields.MQES, read(nvme.CAP.at))).toBe(1023)
    expect(read(nvme.CSTS.at)).toBe(0)
    enable()
    expect(time.now).toBeGreaterThan(0)
    write(nvme.CC.at, 0)
    expect(read(nvme.CSTS.at)).toBe(0)
  })

  test('5.15: identifies itself and its namespace', () => {
    const { enable, command, memory } = bench({ serial: 'S1' })
    enable()
    expect(command(0, ADMIN.IDENTIFY, { cdw10: CNS.CONTROLLER }).status).toBe(STATUS.SUCCESS)
    expect(String.fromCharCode(...memory.bytes.subarray(DATA + 4, DATA + 24))).toBe('S1'.padEnd(20))
    expect(memory.view.getUint8(DATA + identifyController.SQES.at)).toBe(0x66)
    expect(command(0, ADMIN.IDENTIFY, { cdw10: CNS.NAMESPACE, nsid: 1 }).status).toBe(STATUS.SUCCESS)
    expect(memory.view.getUint32(DATA + identifyNamespace.NSZE.at, true)).toBe(SECTORS)
    expect(command(0, ADMIN.IDENTIFY, { cdw10: CNS.NAMESPACE, nsid: 2 }).status).toBe(STATUS.INVALID_NAMESPACE)
    command(0, ADMIN.IDENTIFY, { cdw10: CNS.ACTIVE_NAMESPACES })
    expect(memory.view.getUint32(DATA, true)).toBe(1)
  })

  test('4.3: data go by one page, by two, and by PRP lists that chain', () => {
    const { transfer, fill, memory } = ready()
    const shapes = [
      { count: 1, prp1: DATA, prp2: 0, pages: [DATA] },
      { count: 16, prp1: DATA, prp2: DATA + 0x2000, pages: [DATA, DATA + 0x2000] },
      { count: 64, prp1: DATA, prp2: LIST + 0xff0, pages: [0, 3, 2, 1, 7, 5, 4, 6].map(page => DATA + page * 0x1000) },
    ]
    // the list begins two entries before a page's end: one entry, then a pointer to the rest
    memory.store64(LIST + 0xff0, shapes[2].pages[1])
    memory.store64(LIST + 0xff8, 0x7000)
    shapes[2].pages.slice(2).forEach((page, i) => memory.store64(0x7000 + i * 8, page))
    for (const [index, { count, prp1, prp2, pages }] of shapes.entries()) {
      const sent = pages.map((page, i) => fill(index * 31 + i, 4096, page))
      expect(transfer(NVM.WRITE, 100 + index * 64, count, { prp1, prp2 }).status).toBe(STATUS.SUCCESS)
      for (const page of pages) memory.bytes.fill(0, page, page + 4096)
      expect(transfer(NVM.READ, 100 + index * 64, count, { prp1, prp2 }).status).toBe(STATUS.SUCCESS)
      pages.forEach((page, i) => {
        const bytes = Math.min(4096, count * SECTOR_BYTES - i * 4096)
        expect(memory.bytes.slice(page, page + bytes)).toEqual(sent[i].slice(0, bytes))
      })
    }
  })

  test.each([
    ['an opcode there is not', 1, 0x7f, {}, STATUS.INVALID_OPCODE],
    ['a sector past the end', 1, NVM.READ, { cdw10: SECTORS - 1, cdw12: 1 }, STATUS.LBA_OUT_OF_RANGE],
    ['a sector of 64 bits', 1, NVM.READ, { cdw11: 0xffff_ffff }, STATUS.LBA_OUT_OF_RANGE],
    ['more than MDTS', 1, NVM.READ, { cdw12: 256 }, STATUS.INVALID_FIELD],
    ['another namespace', 1, NVM.READ, { nsid: 2 }, STATUS.INVALID_NAMESPACE],
    ['a misaligned PRP2', 1, NVM.READ, { cdw12: 15, prp2: DATA + 4 }, STATUS.INVALID_PRP_OFFSET],
    ['memory that is not there', 1, NVM.READ, { prp1: 0x4000_0000 }, STATUS.DATA_TRANSFER_ERROR],
    ['a queue 0 to create', 0, ADMIN.CREATE_IO_CQ, { cdw10: 15 << 16, cdw11: 1 }, STATUS.INVALID_QUEUE_ID],
    ['a queue that exists', 0, ADMIN.CREATE_IO_CQ, { cdw10: (15 << 16) | 1, cdw11: 1 }, STATUS.INVALID_QUEUE_ID],
    ['a queue of one entry', 0, ADMIN.CREATE_IO_CQ, { cdw10: 2, cdw11: 1 }, STATUS.INVALID_QUEUE_SIZE],
    [
      'a vector there is not',
      0,
      ADMIN.CREATE_IO_CQ,
      { cdw10: (15 << 16) | 2, cdw11: (99 << 16) | 3 },
      STATUS.INVALID_INTERRUPT_VECTOR,
    ],
    ['an SQ on no CQ', 0, ADMIN.CREATE_IO_SQ, { cdw10: (15 << 16) | 2, cdw11: (5 << 16) | 1 }, STATUS.INVALID_CQ],
    ['a CQ still in use', 0, ADMIN.DELETE_IO_CQ, { cdw10: 1 }, STATUS.INVALID_QUEUE_DELETION],
    ['a log page there is not', 0, ADMIN.GET_LOG_PAGE, { cdw10: 0x7f }, STATUS.INVALID_LOG_PAGE],
    ['a feature there is not', 0, ADMIN.GET_FEATURES, { cdw10: 0x7f }, STATUS.INVALID_FIELD],
    [
      'saving a feature',
      0,
      ADMIN.SET_FEATURES,
      { cdw10: 0x8000_0000 + FEATURE.VOLATILE_WRITE_CACHE },
      STATUS.FEATURE_NOT_SAVEABLE,
    ],
  ])('4.6.1: refuses %s', (_what, queue, opcode, words, status) => {
    expect(ready().command(queue, opcode, words).status).toBe(status)
  })

  test('7.5.1: the pin is up until the host has consumed the completion, unless INTMS masks it', () => {
    const { lines, put, ring, time, write, poll, consume } = ready()
    const pin = lines[1]
    expect(pin.level).toBe(false)
    put(1, NVM.FLUSH)
    ring(1)
    time.run(() => pin.level)
    expect(pin.level).toBe(true)
    write(nvme.INTMS.at, 1)
    expect(pin.level).toBe(false)
    write(nvme.INTMC.at, 1)
    expect(pin.level).toBe(true)
    expect(poll(1)?.status).toBe(STATUS.SUCCESS)
    consume(1)
    expect(pin.level).toBe(false)
  })

  test('5.2: an event request is held until something happens', () => {
    const { put, ring, time, poll, write, command, memory } = ready()
    const cid = put(0, ADMIN.ASYNC_EVENT_REQUEST)
    ring(0)
    time.run()
    expect(poll(0)).toBeUndefined()
    write(nvme.SQTDBL.at + 9 * 8, 1)
    time.run()
    expect(poll(0)).toEqual({ cid, status: STATUS.SUCCESS, result: LOG.ERROR << 16 })
    expect(command(0, ADMIN.GET_LOG_PAGE, { cdw10: LOG.SMART | (127 << 16), nsid: 0xffff_ffff }).status).toBe(
      STATUS.SUCCESS,
    )
    expect(memory.view.getUint16(DATA + smartLog.TEMPERATURE.at, true)).toBe(313)
  })

  test('5.1: abort ends a command whose completion is lost', () => {
    const { chip, put, ring, time, poll, command } = ready()
    chip.faults = [{ kind: 'lost completion', sector: 8, count: 8 }]
    const cid = put(1, NVM.READ, { cdw10: 8, cdw12: 7 })
    ring(1)
    time.run()
    expect(poll(1)).toBeUndefined()
    expect(command(0, ADMIN.ABORT, { cdw10: 1 | (cid << 16) })).toMatchObject({ status: STATUS.SUCCESS, result: 0 })
    expect(poll(1)).toEqual({ cid, status: STATUS.ABORT_REQUESTED, result: 0 })
  })

  test('media errors fail exactly the commands that touch them', () => {
    const { chip, transfer } = ready()
    chip.faults = [{ kind: 'media error', sector: 50, count: 2 }]
    expect(transfer(NVM.READ, 42, 8).status).toBe(STATUS.SUCCESS)
    expect(transfer(NVM.READ, 44, 8).status).toBe(STATUS.UNRECOVERED_READ_ERROR)
    expect(transfer(NVM.WRITE, 51, 1).status).toBe(STATUS.WRITE_FAULT)
    expect(transfer(NVM.READ, 52, 8).status).toBe(STATUS.SUCCESS)
  })

  test('5.21.1.6: a power cut loses what only the cache has; flush and FUA keep', () => {
    const { chip, backing, transfer, command, fill, memory } = ready()
    const flushed = fill(1, SECTOR_BYTES)
    transfer(NVM.WRITE, 0, 1)
    expect(command(1, NVM.FLUSH).status).toBe(STATUS.SUCCESS)
    const forced = fill(2, SECTOR_BYTES)
    transfer(NVM.WRITE, 1, 1, { fua: true })
    const lost = fill(3, SECTOR_BYTES)
    transfer(NVM.WRITE, 2, 1)
    memory.bytes.fill(0xee, DATA, DATA + SECTOR_BYTES)
    transfer(NVM.READ, 2, 1)
    expect(memory.bytes.slice(DATA, DATA + SECTOR_BYTES)).toEqual(lost)
    chip.powerCut()
    const sector = new Uint8Array(SECTOR_BYTES)
    backing.read(0, sector)
    expect(sector).toEqual(flushed)
    backing.read(1, sector)
    expect(sector).toEqual(forced)
    backing.read(2, sector)
    expect(sector.every(byte => byte === 0)).toBe(true)
  })

  test('6.7, 6.17: deallocated and zeroed sectors read as zero', () => {
    const { transfer, fill, memory, command } = ready()
    fill(9, 4096)
    transfer(NVM.WRITE, 0, 8)
    memory.bytes.fill(0, LIST, LIST + 16)
    memory.view.setUint32(LIST + 4, 4, true)
    expect(command(1, NVM.DATASET_MANAGEMENT, { prp1: LIST, cdw11: 4 }).status).toBe(STATUS.SUCCESS)
    expect(transfer(NVM.WRITE_ZEROES, 6, 2).status).toBe(STATUS.SUCCESS)
    const written = memory.bytes.slice(DATA, DATA + 4096)
    memory.bytes.fill(0xee, DATA, DATA + 4096)
    transfer(NVM.READ, 0, 8)
    written.fill(0, 0, 4 * SECTOR_BYTES)
    written.fill(0, 6 * SECTOR_BYTES)
    expect(memory.bytes.slice(DATA, DATA + 4096)).toEqual(written)
  })

  test('7.6.2: shutdown ends when the cache is on the medium', () => {
    const { transfer, fill, read, write, time, backing } = ready()
    const data = fill(5, SECTOR_BYTES)
    transfer(NVM.WRITE, 7, 1)
    write(nvme.CC.at, 0x0046_4001)
    expect(fieldOf(nvme.CSTS.fields.SHST, read(nvme.CSTS.at))).toBe(1)
    time.run(() => fieldOf(nvme.CSTS.fields.SHST, read(nvme.CSTS.at)) === 2)
    const sector = new Uint8Array(SECTOR_BYTES)
    backing.read(7, sector)
    expect(sector).toEqual(data)
  })

  test('a read takes the published latency, and many at once reach the published rate', () => {
    for (const [options, latency, rate] of [
      [{}, 76_000, 460_000],
      [{ drive: p4800x }, 9_000, 550_000],
    ] as const) {
      const { time, transfer, put, ring, poll } = ready(options)
      const start = time.now
      transfer(NVM.READ, 8 * 1000, 8)
      expect(time.now - start).toBeGreaterThan(latency * 0.9)
      expect(time.now - start).toBeLessThan(latency * 1.1)
      const began = time.now
      for (let i = 0; i < 63; i++) put(1, NVM.READ, { cdw10: i * 16, cdw12: 7 })
      ring(1)
      let done = 0
      time.run(() => {
        while (poll(1)) done++
        return done === 63
      })
      expect((63 * 1e9) / (time.now - began)).toBeLessThan(rate * 1.15)
      expect((63 * 1e9) / (time.now - began)).toBeGreaterThan(rate * 0.5)
    }
  })

  test('a saved drive goes on as the one it was saved from', () => {
    const first = ready()
    first.fill(1, 4096)
    first.transfer(NVM.WRITE, 0, 8)
    for (let i = 0; i < 5; i++) first.put(1, NVM.READ, { cdw10: i * 8, cdw12: 7, prp1: DATA + i * 4096 })
    first.ring(1)
    for (let i = 0; i < 4; i++) first.time.step()
    const second = bench({}, new MemoryBacking(SECTORS))
    second.chip.restore(structuredClone(first.chip.save() as object) as Plain)
    second.backing.restore(first.backing.save())
    second.memory.bytes.set(first.memory.bytes)
    second.time.now = first.time.now
    second.time.events = first.time.events.map(event => ({ ...event, target: () => second.chip }))
    first.time.run()
    second.time.run()
    expect(Buffer.compare(second.memory.bytes, first.memory.bytes)).toBe(0)
    expect(second.time.now).toBe(first.time.now)
    expect(second.chip.save()).toEqual(first.chip.save())
  })
})

describe('NVMe 1.4 6.1: namespaces', () => {
  const three = () => ready({ namespaces: [100, 50, 10] })

  test('5.15.2: each has its size and its identifier, the list has them all, and what is not there is refused', () => {
    const { command, memory } = three()
    const identify = (nsid: number, cns: number) =>
      command(0, ADMIN.IDENTIFY, { nsid, cdw10: cns }).status === STATUS.SUCCESS
        ? memory.bytes.slice(DATA, DATA + 4096)
        : undefined
    const word = (bytes: Uint8Array | undefined, at: number) => bytes && new DataView(bytes.buffer).getUint32(at, true)
    expect(word(identify(0, CNS.CONTROLLER), identifyController.NN.at)).toBe(3)
    expect([1, 2, 3, 4].map(nsid => word(identify(nsid, CNS.NAMESPACE), identifyNamespace.NSZE.at))).toEqual([
      100,
      50,
      10,
      undefined,
    ])
    const list = identify(1, CNS.ACTIVE_NAMESPACES)
    expect([0, 4, 8].map(at => word(list, at))).toEqual([2, 3, 0])
    const identifiers = [1, 2, 3].map(nsid =>
      String(identify(nsid, CNS.NAMESPACE)?.subarray(identifyNamespace.EUI64.at, identifyNamespace.EUI64.at + 8)),
    )
    expect(new Set(identifiers).size).toBe(3)
  })

  test('what is written to one is in that one only, and none reaches beyond its end', () => {
    const { transfer, fill, memory } = three()
    const written = fill(3, 512)
    expect(transfer(NVM.WRITE, 0, 1, { nsid: 2 }).status).toBe(STATUS.SUCCESS)
    const read = (nsid: number, sector: number) => {
      memory.bytes.fill(1, DATA, DATA + 512)
      const { status } = transfer(NVM.READ, sector, 1, { nsid })
      return status === STATUS.SUCCESS ? memory.bytes.slice(DATA, DATA + 512) : status
    }
    expect(read(2, 0)).toEqual(written)
    for (const nsid of [1, 3]) expect(read(nsid, 0)).toEqual(new Uint8Array(512))
    expect(read(1, 100)).toBe(STATUS.LBA_OUT_OF_RANGE)
    expect(read(3, 10)).toBe(STATUS.LBA_OUT_OF_RANGE)
    expect(read(4, 0)).toBe(STATUS.INVALID_NAMESPACE)
    expect(transfer(NVM.WRITE, 49, 2, { nsid: 2 }).status).toBe(STATUS.LBA_OUT_OF_RANGE)
  })

  test('more sectors than the drive has are refused when it is made', () => {
    expect(() => bench({ namespaces: [SECTORS, 1] })).toThrow('namespace 2 of 1 sectors: the drive has 0 left')
  })
})
