/**
 * The machine on which faults are tried: a guest that uses the driver in question, another that uses the same driver, or
 * one of its own, and one that has nothing to do with any. Loaded with planted drivers.
 */
import { bystander } from '../../../guests/witnesses/bystander.ts'
import { diskUser } from '../../../guests/witnesses/disk-user.ts'
import { networkUser } from '../../../guests/witnesses/network-user.ts'
import type { Cable } from '../../../hw/devices/cable.ts'
import { MemoryBacking, SECTOR_BYTES } from '../../../hw/devices/disk-backing.ts'
import type { NicController } from '../../../hw/devices/nic/nic-controller.ts'
import { PAGE_BYTES } from '../../../hw/spec/address.ts'
import { frame } from '../../../vmm/core/frame.ts'
import { GuestPages, NO_TABLES } from '../../isolation/guest-pages.ts'
import { cards } from '../../network.ts'
import { buildSystem, type System, type SystemGuest } from '../../system.ts'
import { placementNamed, type PlacementName } from '../placements.ts'
import type { Device } from '../workloads.ts'
import type { Hardware } from './hardware.ts'
import { trigger } from './trigger.ts'

export interface World {
  readonly system: System
  /** Of each witness, the word of its memory by which it is told to come to its end. */
  readonly last: readonly number[]
  /** Who is there, by guest number: on the bare machine the first alone. */
  readonly witnesses: readonly ('user' | 'other user' | 'bystander')[]
  /** How many times as long as elsewhere all of them work, and how many turns they have had before. */
  readonly times: number
  readonly turns: number
  readonly ramBytes: number
  /** Of the user's device. */
  readonly hardware: Hardware
  /** Numbers of the drivers of which one is to fail: the user's own, or whichever is used. */
  readonly drivers: { readonly from: number; readonly to: number }
}

const MIB = 2 ** 20
const GUEST_BYTES = 8 * MIB
const RAM_BYTES = 192 * MIB
const DISK_BYTES = 4 * MIB
/** From where faults are tried. */
const PAIRS = 8
const ECHOES = 24
const ROUNDS = 18
/** Guests that poll share a hart by whole turns: of all of it so many times as much, so that each has several. */
const POLLED = 6
const TURNS = 3

export function faultWorld(name: PlacementName, device: Device): World {
  const { configuration, at, hostPolicy, board, own } = placementNamed(name)
  const times = at?.interrupts === 'polled' ? POLLED : 1
  const sectors = DISK_BYTES / SECTOR_BYTES
  const guest = (index: number, label: string): Omit<SystemGuest, 'kernel'> => ({
    label,
    memoryBytes: GUEST_BYTES,
    vcpus: 1,
    harts: [0],
    weight: 256,
    cap: 0,
    bootargs: '',
    ...(index < 2 && device === 'nvme' && { disk: { first: own ? 0 : index * sectors, sectors } }),
    ...(index < 2 && device === 'nic' && { network: { mac: [2, 0x62, 0x68, 0, 0, index + 1], vlan: 0 } }),
  })
  const last: number[] = []
  const user = (index: number, label: string): SystemGuest => {
    const { last: word, ...scripted } =
      device === 'nvme'
        ? diskUser(index, PAIRS * times, at?.at === 'domain')
        : networkUser(index, ECHOES * times, at?.at === 'domain')
    last[index] = word
    return { ...guest(index, label), kernel: scripted.program.bytes, scripted }
  }
  const alone = configuration === 'bare'
  const from = trigger().made
  const first = user(0, 'user')
  const drivers = alone || own ? { from, to: trigger().made } : { from, to: Infinity }
  const worker = bystander(2, ROUNDS * times)
  last[2] = worker.symbols.get('last')!
  const guests = [first, ...(alone ? [] : [user(1, 'other user'), { ...guest(2, 'bystander'), kernel: worker.bytes }])]
  const devices = own === 'device' ? 2 : 1
  const hardware: Hardware = { sent: 0 }
  const system = buildSystem({
    configuration,
    harts: 1,
    ramBytes: RAM_BYTES,
    guests,
    ...board,
    ...(hostPolicy && { hostPolicy }),
    ...(at && { placements: device === 'nvme' ? { disk: at } : { network: at } }),
    disks: device === 'nvme' ? Array.from({ length: devices }, () => new MemoryBacking(2 * sectors)) : [],
    plugged: (disk, index) => {
      if (index === 0) hardware.disk = disk
    },
    nics: device === 'nic' ? cards(devices, own === 'function' ? 2 : 0, noted(hardware)) : [],
  })
  return {
    system,
    last,
    times,
    turns: times > 1 ? TURNS : 0,
    witnesses: alone ? ['user'] : ['user', 'other user', 'bystander'],
    ramBytes: RAM_BYTES,
    hardware,
    drivers,
  }
}

/** A witness's memory, as its tables have it. Once it runs. */
export function memoryOf({ system }: World, index: number): GuestPages {
  const { memory } = system.machine
  const guest = system.guests.at(index)
  if (!guest) return new GuestPages(memory, NO_TABLES, GUEST_BYTES)
  const at = memory.toHost(guest.vcpus[0].frame + frame.hgatp.at) >> 2
  const root = ((memory.words[at] >>> 0) + (memory.words[at + 1] & 0xfff) * 2 ** 32) * PAGE_BYTES
  return new GuestPages(memory, root, GUEST_BYTES)
}

/** The first card and its cable, and how many frames have come to it. */
function noted(hardware: Hardware): (card: number, cable: Cable, nic: NicController) => void {
  return (card, cable, nic) => {
    if (card > 0) return
    hardware.card = nic
    hardware.cable = cable
    cable.onFrame((_cycle, from) => {
      if (from === 1) hardware.sent++
    })
  }
}
