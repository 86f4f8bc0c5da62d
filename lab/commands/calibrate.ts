/** `barehart calibrate`: real hypervisors and a real kernel on the same simulated machine, beside our models of them. */
import chalk from 'chalk'
import { Command } from 'commander'
import { type Calibration, isWithin, type Judge, JUDGE_NAMES, type Part } from '../calibrate/calibration.ts'
import { calibrationDirectory } from '../calibrate/hosted-vmms.ts'
import { JUDGES } from '../calibrate/judges.ts'
import { rankings, rankingText } from '../calibrate/ranking.ts'
import { calibrationFile, readCalibration, storeCalibration } from '../calibrate/store.ts'
import { calibrationTable } from '../calibrate/table.ts'
import { sourceVersion } from '../calibrate/version.ts'
import { UserError } from '../user-error.ts'

interface CalibrateOptions {
  readonly images: string
  readonly only?: string
  readonly json?: boolean
}

export function calibrateCommand(): Command {
  return new Command('calibrate')
    .description(
      "run the microbenchmarks under real hypervisors, and an operating system's primitives on a real kernel, on our machine, and hold ours against them",
    )
    .option('--images <dir>', 'the real ones: what docs/calibration.md says', calibrationDirectory())
    .option('--only <judge>', `one of ${JUDGE_NAMES.join(', ')}`)
    .option('--json', 'print the findings as JSON')
    .action(calibrate)
}

function judgesNamed(only: string | undefined): readonly Judge[] {
  if (only === undefined) return JUDGES
  const chosen = JUDGES.filter(({ name }) => name === only)
  if (chosen.length === 0) throw new UserError(`--only ${only}: choose of ${JUDGE_NAMES.join(', ')}`)
  return chosen
}

async function calibrate({ images, only, json }: CalibrateOptions): Promise<void> {
  const commit = sourceVersion()
  const parts: [string, Part][] = []
  for (const judge of judgesNamed(only)) {
    const found = await judge.run(images, what => console.error(chalk.dim(`${judge.name}: ${what}`)))
    const part: Part = { ...found, ...(commit !== undefined && { commit }) }
    parts.push([judge.name, part])
    for (const failure of part.failures) console.error(`barehart: ${judge.name}: ${failure}`)
    if (!json && part.rows.length > 0) print(judge, part)
  }
  const found = Object.fromEntries(parts.filter(([, { rows }]) => rows.length > 0)) as Calibration
  if (Object.keys(found).length > 0) storeCalibration(found)
  if (json) console.log(JSON.stringify(Object.fromEntries(parts), undefined, 1))
  else if (Object.keys(found).length > 0) {
    console.log(
      `\n${rankings(readCalibration() ?? {})
        .map(rankingText)
        .join('\n')}`,
    )
    console.log(`kept in ${calibrationFile()}: reports show it in their head`)
  }
  if (parts.some(([, { failures }]) => failures.length > 0)) process.exitCode = 1
}

function print({ title }: Judge, part: Part): void {
  const near = part.rows.filter(isWithin).length
  console.log(`\n${chalk.bold(title)}\n\n${calibrationTable(part)}`)
  for (const { name, why } of part.absent) console.log(chalk.dim(`${name}: ${why}`))
  console.log(
    `${near} of ${part.rows.length} within 25 %${part.rows.some(({ orBetter }) => orBetter) ? ', or better' : ''}`,
  )
  for (const { name, version, sha256 } of part.images)
    console.log(chalk.dim(`${name} ${version} (sha256 ${sha256.slice(0, 16)}…)`))
}
