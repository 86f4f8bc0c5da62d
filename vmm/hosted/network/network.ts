/** The host's network: the card, taps for processes, a bridge between them, and the host's own end. Set-up. */
import type { InterruptController } from '../../../drivers/environment.ts'
import { nicDriver } from '../../../drivers/nic.ts'
import type { PcieBus } from '../../../drivers/pcie.ts'
import type { CurrentPort, PortEnvironment } from '../../../drivers/port-environment.ts'
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import type { DeviceMemory } from '../memory/device-memory.ts'
import type { Process } from '../process.ts'
import type { Scheduler } from '../scheduler.ts'
import type { SoftInterrupts } from '../soft-interrupts.ts'
import { Bridge, stationOf } from './bridge.ts'
import type { ForwardingTable } from './forwarding-table.ts'
import { LocalStack } from './local-stack.ts'
import { HostNetworkDevice, NETWORK_DEPTH } from './network-device.ts'
import { Packets } from './packets.ts'
import { Taps } from './taps.ts'

export interface Network {
  readonly device: HostNetworkDevice
  readonly taps: Taps
  readonly bridge: Bridge
  readonly stack: LocalStack
  readonly packets: Packets
  readonly state: Readonly<Record<string, StateRecord>>
}

export interface NetworkParts {
  readonly current: CurrentPort
  readonly environment: PortEnvironment
  readonly bus: PcieBus
  readonly controller: InterruptController
  /** Where the card's registers are put. */
  readonly window: number
  readonly soft: SoftInterrupts
  readonly processes: readonly Process[]
  readonly scheduler: Scheduler
  readonly table: ForwardingTable
  readonly memory: DeviceMemory
}

export function makeNetwork(parts: NetworkParts): Network {
  const { current, environment, bus, controller, window, soft, processes, scheduler, table, memory } = parts
  const packets = new Packets()
  const onWork = () => device.schedule()
  const nic = nicDriver(environment, { queueDepth: NETWORK_DEPTH, promiscuous: true, onWork })
  const device: HostNetworkDevice = new HostNetworkDevice(
    current,
    environment,
    nic,
    bus,
    controller,
    window,
    packets,
    soft,
    memory,
  )
  const taps = new Taps(processes, packets, scheduler)
  const stations = processes.map(({ node }) => node.network && stationOf(node.network.mac, node.network.vlan))
  const bridge = new Bridge(stations, table, packets, device, taps)
  const stack = new LocalStack(packets, device)
  bridge.attachLocal((port, number) => stack.receive(port, number))
  const state = { ...device.state, ...taps.state, ...bridge.state, ...stack.state }
  return { device, taps, bridge, stack, packets, state }
}

/** Makes its tables in RAM. */
export function createNetwork(port: HartPort, { bridge, stack }: Network): void {
  bridge.create(port)
  stack.create(port)
}
