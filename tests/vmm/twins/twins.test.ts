import { expect, test } from 'vitest'
import type { BlockDevice } from '../../../drivers/environment.ts'
import { nvmeDriver } from '../../../drivers/nvme.ts'
import { virtioBlk } from '../../../drivers/virtio-blk.ts'
import { bootargsFor, microImage, numberOf } from '../../../guests/micro/index.ts'
import {
  BEGIN,
  DONE,
  type Hardware,
  scriptedGuest,
  type Task,
  type TaskGround,
  WAIT,
} from '../../../guests/scripted/guest.ts'
import { scriptedImage } from '../../../guests/scripted/image.ts'
import type { Workload } from '../../../guests/workload.ts'
import { virt } from '../../../hw/boards/virt.ts'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import { VIRTIO_ID } from '../../../hw/spec/devices/virtio-mmio.ts'
import { buildMachine } from '../../../lab/machine.ts'
import { measure } from '../../../lab/study/measure.ts'
import { microLines, runMicroGuests } from '../../../lab/study/micro-machine.ts'
import { MicroRecorder, type Spans } from '../../../lab/study/micro-recorder.ts'
import { NATIVE_PARTIES } from '../../../vmm/native/index.ts'
import { nvmeTwin } from './nvme.ts'
import { twinVmm } from './vmm.ts'

/** The counting is wrong, or the path wasteful, if TypeScript takes so much more or less than assembly. */
const TOLERANCE = 0.25
const EXITS = ['null-hypercall', 'mmio-user']
const GUEST = 0x8400_0000

function ofTwin(): readonly Spans[] {
  let text = ''
  const board = virt({
    harts: 1,
    ramBytes: 0x800_0000,
    kernel: twinVmm(GUEST).bytes,
    modules: [{ address: GUEST, bytes: microImage().bytes }],
    append: bootargsFor(EXITS),
    output: bytes => {
      text += new TextDecoder().decode(bytes)
    },
  })
  const machine = buildMachine(board, { parties: NATIVE_PARTIES })
  const recorder = new MicroRecorder(machine)
  machine.run({ untilCycle: 100_000_000 })
  expect(microLines(text).map(({ name }) => name)).toEqual(EXITS)
  return recorder.spans()
}

/** Says the ratio, and that it is near one. */
function compare(name: string, typescript: number, assembly: number): void {
  const ratio = typescript / assembly
  console.log(`${name}: TypeScript ${typescript}, assembly ${assembly} cycles, ratio ${ratio.toFixed(3)}`)
  expect(Math.abs(ratio - 1), name).toBeLessThan(TOLERANCE)
}

test('exits: the TypeScript path takes what hand-written assembly does, within a quarter', async () => {
  const twin = ofTwin()
  const { spans, lines } = await runMicroGuests(
    'native',
    [{ label: 'micro', bootargs: bootargsFor(EXITS), vcpus: 1 }],
    {},
  )
  for (const name of EXITS) {
    const of = spans.find(({ number }) => number === numberOf(name))!
    const { operations } = lines.find(line => line.name === name) as { operations: number }
    compare(name, of.cycles / operations, twin.find(({ number }) => number === numberOf(name))!.cycles / operations)
  }
})

const DEPTH = 16
const SECTORS = 8
const hardware: Hardware<BlockDevice> = {
  pcieClass: 0x01_0802,
  virtioId: VIRTIO_ID.block,
  queueDepth: DEPTH,
  physical: nvmeDriver,
  virtual: virtioBlk,
}

/** Submits so many reads of 4 KiB with our driver, at once, as soon as the disk is there. */
function submitting(submits: number): (ground: TaskGround<BlockDevice>) => Task {
  return ({ device, data, drivers }) => {
    const state = { begun: false }
    for (const driver of drivers) driver.onCompleted(() => {})
    return {
      state: { submitting: state },
      step: () => {
        const disk = device()
        if (!disk.ready()) return WAIT
        if (!state.begun) {
          state.begun = true
          return BEGIN
        }
        for (let tag = 0; tag < submits; tag++)
          disk.submit(tag, 'read', tag * SECTORS, SECTORS, data + tag * 4096, false)
        return DONE
      },
    }
  }
}

const fill = (bytes: Uint8Array): void => {
  bytes.fill(0x5a)
}

function byDriver(submits: number): Workload {
  const image = () => scriptedImage(DEPTH * 4096)
  return {
    name: 'submits',
    does: 'reads submitted',
    disk: true,
    network: false,
    diskContent: fill,
    image,
    software: () => scriptedGuest('submits', image(), hardware, submitting(submits)),
  }
}

function byTwin(submits: number): Workload {
  const image = () => nvmeTwin(submits)
  return { name: 'submits', does: 'reads submitted', disk: true, network: false, diskContent: fill, image }
}

test('NVMe: a submission by the driver takes what hand-written assembly does, within a quarter', async () => {
  /** What one more takes: beginning and end are not alike. */
  const each = async (of: (submits: number) => Workload) => {
    const [few, many] = await Promise.all([measure(of(1), 'bare'), measure(of(9), 'bare')])
    return (many.cycles - few.cycles) / 8
  }
  compare('NVMe submit', await each(byDriver), await each(byTwin))
})

test('the twin of NVMe reads what is on the disk', () => {
  const disk = new MemoryBacking(1024, new Uint8Array(1024 * 512).fill(0x5a))
  const machine = buildMachine(virt({ harts: 1, ramBytes: 0x400_0000, kernel: nvmeTwin(9).bytes, disks: [disk] }))
  expect(machine.run({ untilCycle: 100_000_000 })).toMatchObject({ kind: 'stopped', code: 0 })
})
