/** `barehart channels`: what a spy learns of a Trojan through what they share, with and without time protection. */
import { Command } from 'commander'
import { writeChannelReport } from '../channels/report.ts'
import { channelStudy, MEASUREMENTS } from '../channels/study.ts'
import { channelLines } from '../channels/table.ts'
import { makeFolder } from '../report/folder.ts'
import { Progress } from '../progress.ts'
import { wholeNumber } from '../study/names.ts'

interface ChannelOptions {
  readonly symbols: string
  readonly seed: string
  readonly json?: boolean
  readonly report?: string
}

const SYMBOLS = 400
const FEWEST = 32
const MOST = 100_000

export function channelsCommand(): Command {
  return new Command('channels')
    .description('measure covert channels between two guests of the native VMM, with and without time protection')
    .option('--symbols <n>', 'symbols that the Trojan sends through each', String(SYMBOLS))
    .option('--seed <n>', 'decides them', '1')
    .option('--json', 'print the findings as JSON')
    .option('--report <dir>', 'write a page with heat maps there, and its data')
    .action(channels)
}

async function channels({ symbols, seed, json, report }: ChannelOptions): Promise<void> {
  const count = wholeNumber('--symbols', symbols, FEWEST, MOST)
  const chance = wholeNumber('--seed', seed, 0, 2 ** 32 - 1)
  if (report !== undefined) makeFolder(report)
  const progress = new Progress(MEASUREMENTS)
  const study = await channelStudy(count, chance, progress)
  progress.end()
  const page =
    report === undefined
      ? undefined
      : writeChannelReport(report, study, `npx barehart channels --symbols ${count} --seed ${chance}`)
  if (json) return console.log(JSON.stringify(study, undefined, 1))
  for (const line of channelLines(study)) console.log(line)
  if (page !== undefined) console.log(`\nThe report: ${page}`)
}
