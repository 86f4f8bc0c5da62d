/** `barehart consolidate`: guests side by side until the machine is full, and what is gone before there is any. */
import chalk from 'chalk'
import { Command } from 'commander'
import { Progress } from '../progress.ts'
import { type Configuration, configurationNamed, CONFIGURATIONS } from '../study/configurations.ts'
import { consolidation, type Consolidation, MOST_GUESTS } from '../study/consolidation.ts'
import { configurationsOf, wholeNumber } from '../study/names.ts'
import { UserError } from '../user-error.ts'

interface ConsolidateOptions {
  readonly configurations: string
  readonly most: string
  readonly json?: boolean
}

const MIB = 2 ** 20
const SHARED = CONFIGURATIONS.filter(name => configurationNamed(name).vmm !== 'none')

export function consolidateCommand(): Command {
  return new Command('consolidate')
    .description('run more and more guests on one machine until the next does not fit: what each does, and all of them')
    .option('--configurations <list>', `of ${SHARED.join(',')}`, 'native,hosted')
    .option('--most <n>', 'no more guests than that', String(MOST_GUESTS))
    .option('--json', 'print the findings as JSON')
    .action(consolidate)
}

async function consolidate({ configurations, most, json }: ConsolidateOptions): Promise<void> {
  const names = configurationsOf(configurations)
  const alone = names.find(name => !SHARED.includes(name))
  if (alone)
    throw new UserError(`--configurations: ${alone} has nobody who shares the machine; choose of ${SHARED.join(',')}`)
  const guests = wholeNumber('--most', most, 1, MOST_GUESTS)
  const found: Consolidation[] = []
  const progress = new Progress(names.length)
  for (const name of names) found.push(await one(name, guests, progress))
  progress.end()
  if (json) return console.log(JSON.stringify({ consolidation: found }, undefined, 1))
  for (const result of found) print(result)
}

async function one(name: Configuration, most: number, progress: Progress): Promise<Consolidation> {
  let under = ''
  const found = await consolidation(name, most, what => {
    under = what
    progress.begin(what)
  })
  progress.finish(under)
  return found
}

function print({ configuration, points, limit, lost }: Consolidation): void {
  console.log(`\n${chalk.cyan(configurationNamed(configuration).label)}`)
  console.log(chalk.bold('  guests  requests/s of all  of each'))
  for (const { guests, total, each } of points)
    console.log(`${String(guests).padStart(8)}${total.toFixed(0).padStart(19)}${each.toFixed(0).padStart(9)}`)
  console.log(`  ${limit}`)
  const parts = lost.memory.map(({ what, bytes }) => `${what} ${bytes / MIB}`).join(', ')
  console.log(
    `  at rest: ${lost.bytes / MIB} of ${lost.ramBytes / MIB} MiB (${parts}), and ${lost.cyclesPerSecond.toFixed(0)} cycles a second, are not for guests`,
  )
}
