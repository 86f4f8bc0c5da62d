/**
 * How a guest is described to a VMM: a node below /chosen/guests of the machine's device tree. Whoever loads the
 * machine writes it, either VMM reads it. Addresses and sizes are two cells, high first.
 *
 *   guest@N {
 *     compatible = "barehart,guest";
 *     label = "name";
 *     memory = <bytes>;                  RAM, a multiple of 2 MiB
 *     vcpus = <n>;
 *     harts = <h ...>;                   where they are pinned, one a vCPU; absent: wherever there is room
 *     weight = <w>; cap = <percent>;     its share of a hart that is shared; cap 0: none
 *     kernel = <address bytes>;          in 2 MiB pages of its own: they become the guest's
 *     initrd = <address bytes>;          the same; absent: none
 *     bootargs = "...";
 *     disk = <first-sector sectors>;     of the machine's disk; absent: none
 *     network; mac = [6 bytes]; vlan = <id>;
 *     cables = <n ...>; cable-macs = [6 bytes each];    further network cards, each at one end of cable n
 *     disk-device = <n>; network-device = <n>;    which of the machine's, for a guest that drives it; absent: the next
 *     drives = "disk" | "network";        a driver domain: it drives that for the others; absent: an ordinary guest
 *   };
 */
import { type Fdt, type FdtNode, type FdtValue, fdtNode } from './fdt.ts'

export const GUEST_COMPATIBLE = 'barehart,guest'

export interface GuestNode {
  readonly label: string
  readonly memoryBytes: number
  readonly vcpus: number
  /** Empty: not pinned. */
  readonly harts: readonly number[]
  readonly weight: number
  readonly cap: number
  readonly kernel: { readonly address: number; readonly bytes: number }
  readonly initrd?: { readonly address: number; readonly bytes: number }
  readonly bootargs: string
  readonly disk?: { readonly first: number; readonly sectors: number; readonly device?: number }
  readonly network?: { readonly mac: readonly number[]; readonly vlan: number; readonly device?: number }
  /** Network cards beside that one: each on a cable of its own, whose number another guest has too. */
  readonly cables?: readonly { readonly cable: number; readonly mac: readonly number[] }[]
  /** It is a driver domain: it has that device, and serves those guests that want it. */
  readonly drives?: 'disk' | 'network'
}

const DEFAULT_WEIGHT = 256

function cells64(value: number): readonly [number, number] {
  return [Math.floor(value / 2 ** 32), value >>> 0]
}

/** The node of the guest with this index. */
export function guestNode(index: number, guest: GuestNode): FdtNode {
  const properties: Record<string, FdtValue> = {
    compatible: GUEST_COMPATIBLE,
    label: guest.label,
    memory: cells64(guest.memoryBytes),
    vcpus: [guest.vcpus],
    weight: [guest.weight],
    cap: [guest.cap],
    kernel: [...cells64(guest.kernel.address), ...cells64(guest.kernel.bytes)],
    bootargs: guest.bootargs,
  }
  if (guest.harts.length > 0) properties['harts'] = guest.harts
  if (guest.initrd) properties['initrd'] = [...cells64(guest.initrd.address), ...cells64(guest.initrd.bytes)]
  if (guest.disk) properties['disk'] = [...cells64(guest.disk.first), ...cells64(guest.disk.sectors)]
  if (guest.network) {
    properties['network'] = true
    properties['mac'] = Uint8Array.from(guest.network.mac)
    properties['vlan'] = [guest.network.vlan]
  }
  if (guest.cables && guest.cables.length > 0) {
    properties['cables'] = guest.cables.map(({ cable }) => cable)
    properties['cable-macs'] = Uint8Array.from(guest.cables.flatMap(({ mac }) => [...mac]))
  }
  if (guest.drives) properties['drives'] = guest.drives
  if (guest.disk?.device !== undefined) properties['disk-device'] = [guest.disk.device]
  if (guest.network?.device !== undefined) properties['network-device'] = [guest.network.device]
  return fdtNode(`guest@${index}`, properties)
}

function cellsOf(bytes: Uint8Array | undefined): readonly number[] {
  if (!bytes) return []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.byteLength >> 2 }, (_, index) => view.getUint32(index * 4))
}

function textOf(bytes: Uint8Array | undefined): string {
  return Array.from(bytes ?? [], byte => (byte === 0 ? '' : String.fromCharCode(byte))).join('')
}

/** Every guest of a device tree, in the order of the nodes. */
export function guestsOf(tree: Fdt): readonly GuestNode[] {
  const chosen = tree.root.children.find(node => node.name === 'chosen')
  const guests = chosen?.children.find(node => node.name === 'guests')?.children ?? []
  return guests
    .filter(node => textOf(node.properties.get('compatible')) === GUEST_COMPATIBLE)
    .map(node => {
      const cells = (name: string) => cellsOf(node.properties.get(name))
      const one = (name: string, otherwise: number) => cells(name)[0] ?? otherwise
      const pair = (name: string, at: number) => (cells(name)[at] ?? 0) * 2 ** 32 + (cells(name)[at + 1] ?? 0)
      const device = (name: string) => (node.properties.has(name) ? { device: one(name, 0) } : {})
      return {
        label: textOf(node.properties.get('label')),
        memoryBytes: pair('memory', 0),
        vcpus: one('vcpus', 1),
        harts: cells('harts'),
        weight: one('weight', DEFAULT_WEIGHT),
        cap: one('cap', 0),
        kernel: { address: pair('kernel', 0), bytes: pair('kernel', 2) },
        bootargs: textOf(node.properties.get('bootargs')),
        ...(node.properties.has('initrd') && { initrd: { address: pair('initrd', 0), bytes: pair('initrd', 2) } }),
        ...(node.properties.has('disk') && {
          disk: { first: pair('disk', 0), sectors: pair('disk', 2), ...device('disk-device') },
        }),
        ...(node.properties.has('drives') && {
          drives: textOf(node.properties.get('drives')) === 'disk' ? ('disk' as const) : ('network' as const),
        }),
        ...(node.properties.has('network') && {
          network: { mac: [...(node.properties.get('mac') ?? [])], vlan: one('vlan', 0), ...device('network-device') },
        }),
        ...(node.properties.has('cables') && {
          cables: cells('cables').map((cable, index) => ({
            cable,
            mac: Array.from(node.properties.get('cable-macs')?.subarray(index * 6, index * 6 + 6) ?? []),
          })),
        }),
      }
    })
}
