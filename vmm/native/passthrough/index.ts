/** Hands functions of the machine's PCIe bus out to guests. Set-up. */
import { pcieConfiguration } from '../../../drivers/pcie-configuration.ts'
import { type CurrentPort, PortEnvironment } from '../../../drivers/port-environment.ts'
import type { HartPort } from '../../../hw/port.ts'
import { type OwnDevices, ownSource } from '../../core/devices.ts'
import type { TableAllocator } from '../../core/g-stage.ts'
import type { DmaGuard } from '../dma-guard.ts'
import type { PlannedGuest } from '../ground.ts'
import type { GuestFiles } from '../guest-files.ts'
import type { Assignment } from './assignment.ts'
import { BarMap } from './bar-map.ts'
import type { FunctionHost } from './function-host.ts'
import { MessageRoute } from './message-route.ts'
import { PassedFunction } from './passed-function.ts'

/** Where the functions' memory is put: behind that of the VMM's own devices, so much for each. */
const WINDOWS = 0x4020_0000
const WINDOW_BYTES = 0x20_0000

export interface PassingParts {
  readonly guests: readonly PlannedGuest[]
  readonly assignments: readonly Assignment[]
  readonly guard: DmaGuard | undefined
  readonly current: CurrentPort
  /** Where configuration space begins. */
  readonly ecam: number
  readonly takeTable: TableAllocator
  /** Guest interrupt files, if any guest takes messages. */
  readonly files: GuestFiles | undefined
  /** Where virtual functions come from. */
  readonly functions: FunctionHost | undefined
}

/** Throws one line if the machine cannot keep a guest's device from the memory of others. */
export function passFunctions(parts: PassingParts): readonly PassedFunction[] {
  const { guests, assignments, guard, current, ecam, takeTable, files, functions } = parts
  if (assignments.length === 0) return []
  if (!guard)
    throw new Error(
      'a guest can drive a device only behind an IOMMU, which keeps it from the memory of others: give the machine one',
    )
  const dma = { base: 0, device: 0, bytes: 0 }
  const configuration = pcieConfiguration(
    new PortEnvironment({
      current,
      name: 'pcie functions',
      registers: ecam,
      dma,
      interrupts: [],
      now: () => 0,
      wakeAt: () => {},
    }),
  )
  return assignments.map((assignment, index) => {
    const guest = guests[assignment.guest]
    return new PassedFunction(
      {
        assignment,
        guest,
        configuration,
        functions: assignment.virtual ? functions : undefined,
        guard,
        bars: new BarMap(guest.vm.ram.root, takeTable),
        window: WINDOWS + index * WINDOW_BYTES,
        route: assignment.interrupts === 'posted' && files ? routeOf(guard, guest, files, takeTable) : undefined,
      },
      index,
    )
  })
}

function routeOf(guard: DmaGuard, { vm }: PlannedGuest, files: GuestFiles, takeTable: TableAllocator): MessageRoute {
  return new MessageRoute(guard, vm.index, vm.ram.root, files.pagesOf(vm), takeTable)
}

/** Those of one guest, as its chips need them; undefined if there are none. `files`: of a guest that takes messages. */
export function ownDevicesOf(
  passed: readonly PassedFunction[],
  guest: PlannedGuest,
  files: GuestFiles | undefined,
): OwnDevices | undefined {
  const own = passed.filter(candidate => candidate.guest === guest)
  if (own.length === 0) return undefined
  return {
    functions: own.map(({ virtual }) => virtual),
    ...(files && { deliver: (port, vcpu, identity) => files.send(port, guest.vm, vcpu, identity) }),
    connect: (index, line) => own[index].connect(line),
    completed: (port: HartPort, source: number) => {
      for (let index = 0; index < own.length; index++) if (source === ownSource(index)) own[index].completed(port)
    },
  }
}
