/** The hypervisor of a host, by the form that its policy says, and the devices that the kernel emulates. Set-up. */
import type { HartPort } from '../../hw/port.ts'
import type { HostPolicy } from '../../hw/spec/layouts/host-policy.ts'
import type { PendingAccess } from '../core/exits.ts'
import { LARGE_PAGE } from '../core/g-stage.ts'
import { memoryAccess } from '../core/memory-access.ts'
import { NOWHERE } from '../core/vcpu.ts'
import { AddressSpace } from './address-space.ts'
import type { FileService } from './file-service.ts'
import type { HostConsole } from './host-console.ts'
import type { Hypervisor } from './hypervisor.ts'
import type { Events } from './hypervisor/events.ts'
import type { IoBuses } from './hypervisor/io-buses.ts'
import { HypervisorModule } from './hypervisor-module.ts'
import type { KernelCode } from './image.ts'
import { KernelDevices } from './kernel-devices.ts'
import { Monitor } from './monitor.ts'
import { MonitorDriver } from './monitor-driver.ts'
import type { Taps } from './network/taps.ts'
import type { DividedMemory } from './plan-memory.ts'
import type { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'
import type { ReadCopyUpdate } from './sync/read-copy-update.ts'
import type { Task } from './task.ts'

/** The address space identifier of the monitors' world: processes have the numbers from 1 on. */
const MONITOR_SPACE = 0xfff

export interface HypervisorParts {
  readonly policy: HostPolicy
  readonly code: KernelCode
  readonly harts: number
  readonly tasks: readonly Task[]
  readonly processes: readonly Process[]
  readonly memory: DividedMemory
  readonly scheduler: Scheduler
  readonly console: HostConsole
  /** Is filled, if the policy says so. */
  readonly backends: KernelDevices[]
  readonly files: FileService
  readonly taps: Taps
  readonly buses: IoBuses
  readonly events: Events
  readonly rcu: ReadCopyUpdate
}

export interface MadeHypervisor {
  readonly module: Hypervisor
  /** Of form 'switch'. */
  readonly monitor: Monitor
  /** By vCPU: the access that it waits for. */
  readonly pending: readonly PendingAccess[]
}

export function makeHypervisor(parts: HypervisorParts): MadeHypervisor {
  const {
    policy,
    code,
    harts,
    tasks,
    processes,
    memory,
    scheduler,
    console,
    backends,
    files,
    taps,
    buses,
    events,
    rcu,
  } = parts
  const vcpus = processes.flatMap(({ vm }) => vm.vcpus)
  const runners = tasks.filter(({ vcpu }) => vcpu !== NOWHERE)
  const pending = vcpus.map(() => ({ ...memoryAccess(), address: 0, window: 0 }))
  const monitor = new Monitor(
    vcpus,
    processes.flatMap(({ vm }) => vm.vcpus.map(() => vm)),
    pending,
    harts,
    code,
  )
  const monitorSpace = new AddressSpace(memory, MONITOR_SPACE, 0, LARGE_PAGE)
  const module: Hypervisor =
    policy.form === 'switch'
      ? new MonitorDriver(runners, vcpus, monitor, monitorSpace, memory.free, scheduler, console, code, backends)
      : new HypervisorModule({
          threads: runners,
          vcpus,
          pending,
          scheduler,
          console,
          harts,
          code,
          backends,
          buses,
          events,
          rcu,
          fences: memory.fences,
        })
  if (policy.backend === 'kernel')
    backends.push(
      ...processes.map(process => {
        const externals = process.vm.vcpus.map(vcpu => ({
          set: (port: HartPort, level: boolean) => module.interrupt(port, vcpu, level),
        }))
        return new KernelDevices(process, externals, files, taps, scheduler)
      }),
    )
  return { module, monitor, pending }
}
