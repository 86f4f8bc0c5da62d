/** PCI Express on board `virt`: the root bus with its disks and network cards, behind an IOMMU if the board has one. */
import type { Wiring } from '../board.ts'
import type { Dma, Saved } from '../bus/chip.ts'
import { memoryDma } from '../bus/memory-dma.ts'
import { PcieHost } from '../bus/pcie-host.ts'
import type { Backing } from '../devices/disk-backing.ts'
import { Iommu } from '../devices/iommu/iommu.ts'
import { NicController } from '../devices/nic/nic-controller.ts'
import { NvmeController } from '../devices/nvme/nvme-controller.ts'
import type { NicPrices } from '../time/prices-devices.ts'
import type { VirtNic, VirtOptions } from './virt.ts'
import { type Controller, type Messages, withMessages } from './virt-interrupts.ts'
import { IOMMU_WIRES, VIRT_MAP, VIRT_SOURCES } from './virt-map.ts'

/** Virtual functions sign with slots from 16 above the card's on, two each (docs/sr-iov.md). */
const LAST_SLOT_WITH_FUNCTIONS = 14
const FIRST_MAC = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56]

/** The root bus: disks from slot 1 on, network cards behind them. */
export function wirePcie(
  wiring: Wiring,
  plic: Controller,
  messages: Messages | undefined,
  { disks = [], namespaces = [], nics = [], devicePrices, iommu, plugged, masters }: VirtOptions,
): void {
  const { bus } = wiring
  const wire = (pin: number) => plic.line(VIRT_SOURCES.pcie + pin)
  const memory = memoryDma(wiring.memory)
  const dma = messages ? withMessages(memory, messages) : memory
  const translate = iommu ? wireIommu(wiring, plic, dma, messages !== undefined) : () => dma
  const host = new PcieHost({
    dma: masters ? requester => masters(requester, translate(requester)) : translate,
    lines: [wire(0), wire(1), wire(2), wire(3)],
    msix: messages !== undefined,
    window32: VIRT_MAP.pcieMemory32.base,
    window64: VIRT_MAP.pcieMemory64.base,
  })
  wiring.enroll('pcie', host)
  bus.attach('pcie-ecam', VIRT_MAP.pcieEcam.base, VIRT_MAP.pcieEcam.bytes, host.ecam, 'pcie')
  bus.attach('pcie-memory32', VIRT_MAP.pcieMemory32.base, VIRT_MAP.pcieMemory32.bytes, host.window32, 'pcie')
  bus.attach('pcie-memory64', VIRT_MAP.pcieMemory64.base, VIRT_MAP.pcieMemory64.bytes, host.window64, 'pcie')
  bus.attach('pcie-ports', VIRT_MAP.pciePorts.base, VIRT_MAP.pciePorts.bytes, host.ports, 'pcie')

  let slot = 1
  disks.forEach((backing, index) => {
    const name = `nvme${index}`
    const disk = new NvmeController(name, backing, wiring.clock(name), {
      ...(devicePrices && { drive: devicePrices.drive }),
      ...(namespaces[index] && { namespaces: namespaces[index] }),
    })
    wiring.enroll(name, disk)
    if (isSaved(backing)) wiring.enroll(`${name}-medium`, backing)
    host.plug(disk, slot++)
    plugged?.(disk, index)
  })
  plugCards(wiring, host, slot, nics, devicePrices?.card)
}

/** Network cards, each in a slot, a function a port; virtual functions need a slot beside it for what they sign with. */
function plugCards(
  wiring: Wiring,
  host: PcieHost,
  firstSlot: number,
  cards: readonly VirtNic[],
  prices: NicPrices | undefined,
): void {
  let slot = firstSlot
  let named = 0
  let address = 0
  for (const { mac, ports = 1, virtualFunctions = 0, connect } of cards) {
    if (ports !== 1 && ports !== 2)
      throw new RangeError(`a network card with ${String(ports)} ports: an 82576 has 1 or 2`)
    if (virtualFunctions > 0 && slot > LAST_SLOT_WITH_FUNCTIONS) {
      throw new RangeError(
        `a network card with virtual functions in PCIe slot ${slot}: they need a slot up to ${LAST_SLOT_WITH_FUNCTIONS}; take fewer disks or cards`,
      )
    }
    // a second port's address is the first one's with its last bit turned
    address += address % ports
    const own = mac ?? [...FIRST_MAC.slice(0, 5), FIRST_MAC[5] + address]
    address += ports
    const nics: NicController[] = []
    for (let number = 0; number < ports; number++) {
      const name = `nic${named++}`
      const nic: NicController = new NicController(name, [...own.slice(0, 5), own[5] ^ number], wiring.clock(name), {
        ...(prices && { prices }),
        virtualFunctions,
        port: { number, of: ports, ...(nics[0] && { first: nics[0] }) },
      })
      wiring.enroll(name, nic)
      host.plug(nic, slot, number)
      nics.push(nic)
    }
    slot += virtualFunctions > 0 ? 2 : 1
    nics.forEach((nic, number) => connect?.(nic, wiring, number))
  }
}

/** Memory as each function reaches it through the IOMMU. */
function wireIommu(wiring: Wiring, plic: Controller, dma: Dma, messages: boolean): (requester: number) => Dma {
  const wires = Array.from({ length: IOMMU_WIRES }, (_, vector) => plic.line(VIRT_SOURCES.iommu + vector))
  const iommu = new Iommu(wiring.memory, dma, wires, { messages })
  wiring.enroll('iommu', iommu)
  wiring.bus.attach('iommu', VIRT_MAP.iommu.base, VIRT_MAP.iommu.bytes, iommu)
  return requester => iommu.behind(requester)
}

/** Sectors in memory are part of the machine's state; those in a file are not. */
function isSaved(backing: Backing): backing is Backing & Saved {
  return 'save' in backing && 'restore' in backing
}
