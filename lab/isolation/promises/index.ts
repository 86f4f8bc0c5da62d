/** All that is promised. */
import type { IsolationPromise } from '../promise.ts'
import { console } from './console.ts'
import { containment } from './containment.ts'
import { disk } from './disk.ts'
import { dma } from './dma.ts'
import { interrupts } from './interrupts.ts'
import { invisibility } from './invisibility.ts'
import { management } from './management.ts'
import { memory } from './memory.ts'
import { network } from './network.ts'
import { registers } from './registers.ts'
import { residue } from './residue.ts'
import { resources } from './resources.ts'
import { time } from './time.ts'

export const PROMISES: readonly IsolationPromise[] = [
  memory,
  registers,
  disk,
  network,
  console,
  interrupts,
  dma,
  residue,
  resources,
  containment,
  invisibility,
  management,
  time,
]
