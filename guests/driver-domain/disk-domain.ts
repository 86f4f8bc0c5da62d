/**
 * A driver domain for the disk: a guest that has the controller, drives it as any guest does, and serves other guests' rings.
 * A request's pages are mapped into the domain, and so into its device's reach, for as long as it lasts; or its data is
 * copied by the VMM to memory of the domain's.
 */
import type { BlockDevice, Completion } from '../../drivers/environment.ts'
import { type NvmeConfig, nvmeDriver } from '../../drivers/nvme.ts'
import { nvmeConfigOf } from '../../drivers/placement-config.ts'
import type { ChannelFacts, RingBackend } from '../../drivers/ring-backend.ts'
import type { HartPort, Software } from '../../hw/port.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { type DriverPlacement, isPolled } from '../../hw/spec/layouts/placement.ts'
import { MOST_GRANTS, RING_OPERATION, RING_STATUS, ringRequest } from '../../hw/spec/layouts/ring.ts'
import type { Hardware, TaskGround } from '../scripted/device.ts'
import { AGAIN, FAILED, type Task, twoDeviceGuest, WAIT } from '../scripted/guest.ts'
import { scriptedImage } from '../scripted/image.ts'
import {
  backendHardware,
  DATA_WINDOW,
  hasRequest,
  MOST_CHANNELS,
  NO_DEVICE,
  openRingOf,
  PAGE,
  putAnswer,
  requestAt,
} from './channels.ts'
import { isAsked, stayAwake } from './polled-rings.ts'

const SECTOR_SHIFT = 9
const SECTOR_MASK = 511
const REQUEST_BYTES = MOST_GRANTS * PAGE
/** Requests begun, and answered, in one entry. */
const BUDGET = 8
const FREE = -1

type Options = Pick<DriverPlacement, 'depth' | 'queues' | 'transfer' | 'service' | 'coalescing'>

/** The image, with room for what is copied. */
export function diskDomainImage({ depth, transfer }: Options): Program {
  return scriptedImage(transfer === 'copy' ? depth * REQUEST_BYTES : PAGE, 2)
}

export function diskDomain(options: Options): Software {
  const disk: Hardware<BlockDevice> & NvmeConfig = {
    ...nvmeConfigOf(options),
    pcieClass: 0x01_0802,
    virtioId: NO_DEVICE,
    physical: nvmeDriver,
    virtual: nvmeDriver,
  }
  return twoDeviceGuest('disk domain', diskDomainImage(options), [disk, backendHardware], taskOf(options))
}

function taskOf({
  depth,
  transfer,
  service,
}: Options): (first: TaskGround<BlockDevice>, second: TaskGround<RingBackend>) => Task {
  function diskDomainTask(
    { device, drivers, data }: TaskGround<BlockDevice>,
    { device: backendOf, drivers: backends }: TaskGround<RingBackend>,
  ): Task {
    const copies = transfer === 'copy'
    const polls = isPolled({ service })
    /** `events`: something may have come; `first` and `count`: of what is over, a ring; `broken`: its driver is. */
    const state = { begun: false, channels: 0, events: true, first: 0, count: 0, broken: false }
    const facts: ChannelFacts & Record<string, number | boolean> = {
      connected: false,
      first: 0,
      sectors: 0,
      low: 0,
      high: 0,
      vlan: 0,
    }
    /** By channel: whether its ring is there, its range, what has been taken and answered, whether its guest has to be told, or is not through. */
    const open = new Int32Array(MOST_CHANNELS)
    const firsts = new Float64Array(MOST_CHANNELS)
    const sizes = new Float64Array(MOST_CHANNELS)
    const taken = new Float64Array(MOST_CHANNELS)
    const answers = new Float64Array(MOST_CHANNELS)
    const owed = new Int32Array(MOST_CHANNELS)
    const left = new Int32Array(MOST_CHANNELS)
    /** By the driver's tag: whose request it is, which, and about what. */
    const channels = new Int32Array(depth).fill(FREE)
    const tags = new Int32Array(depth)
    const operations = new Int32Array(depth)
    const pages = new Int32Array(depth)
    const offsets = new Int32Array(depth)
    const lengths = new Int32Array(depth)
    const grants = new Int32Array(depth * MOST_GRANTS)
    /** What is over, in order, and whether it went well. */
    const over = new Int32Array(depth)
    const good = new Int32Array(depth)

    function step(port: HartPort): number {
      port.account('driver domain', 'rings', 'computing')
      const disk = device()
      const backend = backendOf()
      if (!disk.ready()) return disk.failure() === '' ? WAIT : FAILED
      if (!backend.ready()) return backend.failure() === '' ? WAIT : FAILED
      if (!state.begun) {
        state.begun = true
        state.channels = backend.channels()
      }
      let budget = BUDGET
      while (budget > 0 && state.count > 0) {
        finish(port, backend)
        budget--
      }
      if (state.broken) return FAILED
      let more = state.count > 0
      if (polls) backend.poll(1)
      if (state.events) {
        state.events = false
        for (let channel = 0; channel < state.channels; channel++) {
          if (!backend.hasEvent(channel)) continue
          if (open[channel] === 0) openChannel(port, backend, channel)
          left[channel] = 1
        }
      }
      for (let channel = 0; channel < state.channels; channel++) {
        if (left[channel] === 1 && serve(port, backend, disk, channel)) more = true
        if (owed[channel] === 1) {
          owed[channel] = 0
          backend.notify(channel)
        }
      }
      return more ? AGAIN : WAIT
    }

    /** A guest has made its ring known. */
    function openChannel(port: HartPort, backend: RingBackend, channel: number): void {
      backend.describe(channel, facts)
      if (!facts.connected) return
      if (!openRingOf(port, backend, channel)) return
      open[channel] = 1
      if (polls) {
        stayAwake(port, channel)
        left[channel] = 1
      }
      firsts[channel] = facts.first
      sizes[channel] = facts.sectors
      owed[channel] = 1
    }

    /** Begins what is in a channel's ring. True if there is more that could be begun now. */
    function serve(port: HartPort, backend: RingBackend, disk: BlockDevice, channel: number): boolean {
      if (open[channel] === 0) {
        left[channel] = 0
        return false
      }
      for (let budget = BUDGET; budget > 0; budget--) {
        if (!(polls ? isAsked : hasRequest)(port, channel, taken[channel])) {
          if (!polls) left[channel] = 0
          return false
        }
        const tag = freeTag()
        // A request that is over will bring it back here.
        if (tag === FREE) return false
        begin(port, backend, disk, channel, tag)
      }
      return true
    }

    function freeTag(): number {
      for (let tag = 0; tag < depth; tag++) if (channels[tag] === FREE) return tag
      return FREE
    }

    function begin(port: HartPort, backend: RingBackend, disk: BlockDevice, channel: number, tag: number): void {
      const at = requestAt(channel, taken[channel])
      taken[channel] = (taken[channel] + 1) >>> 0
      const operation = port.load8(at + ringRequest.operation.at)
      const offset = port.load32(at + ringRequest.offset.at)
      const bytes = port.load32(at + ringRequest.bytes.at)
      const sector = port.load64(at + ringRequest.sector.at)
      const count = port.load8(at + ringRequest.grants.at)
      channels[tag] = channel
      tags[tag] = port.load16(at + ringRequest.tag.at)
      operations[tag] = operation
      pages[tag] = count
      offsets[tag] = offset
      lengths[tag] = bytes
      if (operation === RING_OPERATION.FLUSH) {
        pages[tag] = 0
        if (!disk.submit(tag, 'flush', 0, 0, 0, false)) refused(disk, tag)
        return
      }
      const sectors = bytes >>> SECTOR_SHIFT
      // A guest says what it likes.
      if (
        operation > RING_OPERATION.WRITE ||
        (bytes & SECTOR_MASK) !== 0 ||
        offset >= PAGE ||
        count > MOST_GRANTS ||
        bytes === 0 ||
        offset + bytes > count * PAGE ||
        sectors > disk.maximumSectors() ||
        sector + sectors > sizes[channel]
      ) {
        pages[tag] = 0
        end(tag, false)
        return
      }
      for (let page = 0; page < count; page++)
        grants[tag * MOST_GRANTS + page] = port.load32(at + ringRequest.grant.at + page * 4)
      const isRead = operation === RING_OPERATION.READ
      if (!(copies ? isRead || copy(backend, tag, false) : show(backend, tag, isRead))) {
        pages[tag] = 0
        end(tag, false)
        return
      }
      const address = copies ? data + tag * REQUEST_BYTES : DATA_WINDOW + tag * REQUEST_BYTES + offset
      if (!disk.submit(tag, isRead ? 'read' : 'write', firsts[channel] + sector, sectors, address, false))
        refused(disk, tag)
    }

    /** A driver that is ready takes what it can take, or is broken: then another domain does better, and is asked again. */
    function refused(disk: BlockDevice, tag: number): void {
      if (disk.ready()) state.broken = true
      else end(tag, false)
    }

    /** Has a request's pages mapped. */
    function show(backend: RingBackend, tag: number, write: boolean): boolean {
      for (let page = 0; page < pages[tag]; page++)
        backend.add(
          channels[tag],
          grants[tag * MOST_GRANTS + page],
          DATA_WINDOW + tag * REQUEST_BYTES + page * PAGE,
          write,
          0,
          0,
        )
      return backend.map()
    }

    /** Has a request's data copied, from its pages or to them. */
    function copy(backend: RingBackend, tag: number, out: boolean): boolean {
      let offset = offsets[tag]
      let at = data + tag * REQUEST_BYTES
      let rest = lengths[tag]
      for (let page = 0; page < pages[tag]; page++) {
        const bytes = rest < PAGE - offset ? rest : PAGE - offset
        backend.add(channels[tag], grants[tag * MOST_GRANTS + page], at, out, offset, bytes)
        at += bytes
        rest -= bytes
        offset = 0
      }
      return out ? backend.copyOut() : backend.copyIn()
    }

    /** A request is over: it is answered in the next step. */
    function end(tag: number, isGood: boolean): void {
      const place = (state.first + state.count) % depth
      over[place] = tag
      good[place] = isGood ? 1 : 0
      state.count++
    }

    /** Answers what is over first. */
    function finish(port: HartPort, backend: RingBackend): void {
      const tag = over[state.first]
      let isGood = good[state.first] === 1
      state.first = state.first + 1 === depth ? 0 : state.first + 1
      state.count--
      const channel = channels[tag]
      if (copies && isGood && operations[tag] === RING_OPERATION.READ) isGood = copy(backend, tag, true)
      if (!copies && pages[tag] > 0) {
        for (let page = 0; page < pages[tag]; page++)
          backend.add(channel, 0, DATA_WINDOW + tag * REQUEST_BYTES + page * PAGE, false, 0, 0)
        backend.unmap()
      }
      channels[tag] = FREE
      const status = isGood ? RING_STATUS.OK : RING_STATUS.ERROR
      answers[channel] = putAnswer(port, channel, answers[channel], tags[tag], operations[tag], status, 0)
      owed[channel] = 1
    }

    function completed(tag: number, how: Completion): void {
      end(tag, how === 'ok')
    }

    function onEvent(): void {
      state.events = true
    }

    for (const driver of drivers) driver.onCompleted(completed)
    for (const backend of backends) backend.onEvent(onEvent)
    return {
      step,
      state: {
        domain: state,
        facts,
        open,
        firsts,
        sizes,
        taken,
        answers,
        owed,
        left,
        channels,
        tags,
        operations,
        pages,
        offsets,
        lengths,
        grants,
        over,
        good,
      },
    }
  }

  return diskDomainTask
}
