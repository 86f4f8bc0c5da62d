/**
 * Guest speed: `npm run bench [-- --json] [-- --model=cached] [-- --core=cva6] [-- kernel…]`. Each kernel runs in S-mode behind Sv39 with 4 KiB pages, every
 * instruction counted. Kernels take turns; medians of the rounds are printed, in millions of instructions a second of
 * the clock and of the thread's own processor time (what a machine without neighbours would show).
 */
import { CORES, MODELS, pricesFor } from '../../hw/index.ts'
import { KERNELS } from './kernels.ts'
import { pagedMachine } from './paged-machine.ts'

const ROUNDS = 5
const WARM_UP = 20_000_000
const INSTRUCTIONS = 60_000_000

interface Result {
  readonly kernel: string
  readonly what: string
  readonly mips: number
  readonly processorMips: number
  /** From nothing to the first instruction retired. */
  readonly startMilliseconds: number
}

function processorSeconds(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1e6
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

/** What `--option=name` says, of the names that there are; the first unless given. */
function chosenOf<T extends string>(option: string, names: readonly T[]): T {
  const given = process.argv.find(argument => argument.startsWith(`${option}=`))?.slice(option.length + 1)
  const found = given === undefined ? names[0] : names.find(name => name === given)
  if (found === undefined) throw new Error(`${option}=${given}: choose of ${names.join(', ')}`)
  return found
}

const prices = pricesFor({ model: chosenOf('--model', MODELS), core: chosenOf('--core', CORES) })
const named = process.argv.slice(2).filter(argument => !argument.startsWith('--'))
const chosen = KERNELS.filter(({ name }) => named.length === 0 || named.includes(name))
const subjects = chosen.map(kernel => {
  const start = performance.now()
  const machine = pagedMachine(kernel.source, undefined, prices)
  machine.run({ maxInstructions: 1 })
  const startMilliseconds = performance.now() - start
  machine.run({ maxInstructions: WARM_UP })
  return { kernel, machine, startMilliseconds, mips: [] as number[], processorMips: [] as number[] }
})
for (let round = 0; round < ROUNDS; round++) {
  for (const { machine, mips, processorMips } of subjects) {
    const [clock, processor] = [performance.now(), processorSeconds()]
    const before = machine.harts[0].retired()
    machine.run({ maxInstructions: INSTRUCTIONS })
    const millions = (machine.harts[0].retired() - before) / 1e6
    mips.push(millions / ((performance.now() - clock) / 1000))
    processorMips.push(millions / (processorSeconds() - processor))
  }
}
const results: Result[] = subjects.map(({ kernel, startMilliseconds, mips, processorMips }) => ({
  kernel: kernel.name,
  what: kernel.what,
  mips: median(mips),
  processorMips: median(processorMips),
  startMilliseconds,
}))
if (process.argv.includes('--json')) {
  console.log(JSON.stringify(results, undefined, 2))
} else {
  console.log('kernel   MIPS  MIPS of processor time  start ms')
  for (const { kernel, what, mips, processorMips, startMilliseconds } of results) {
    console.log(
      `${kernel.padEnd(7)} ${mips.toFixed(0).padStart(5)} ${processorMips.toFixed(0).padStart(23)} ${startMilliseconds.toFixed(0).padStart(9)}  ${what}`,
    )
  }
}
