/** The study for a terminal. */
import chalk from 'chalk'
import type { ChannelFinding } from './measure.ts'
import type { ChannelStudy } from './study.ts'

const number = (value: number) => Math.round(value).toLocaleString('en-US')

/** In words: whether information exceeds what chance shows, or cannot be. */
export function verdictOf({ information: { visible }, constant }: ChannelFinding): string {
  return constant ? 'none' : visible ? 'channel' : 'not found'
}

/** What protection is, in words. */
export function slotsInWords(protection: ChannelStudy['costs'][number]['protection']): string {
  return protection ? `slots of ${protection.slot} µs, padded ${protection.pad} µs` : 'shared by need, turns of 5 ms'
}

export function channelLines({ findings, costs, count }: ChannelStudy): readonly string[] {
  const row = (finding: ChannelFinding) => {
    const { millibits, bound, visible } = finding.information
    const verdict = verdictOf(finding).padEnd(10)
    return [
      `  ${finding.resource.padEnd(10)}${(finding.protected ? 'protected' : 'shared').padEnd(11)}`,
      `${number(millibits).padStart(9)}${number(bound).padStart(9)}  `,
      visible ? chalk.yellow(verdict) : chalk.green(verdict),
      `  ${number(Math.min(...finding.observations))} to ${number(Math.max(...finding.observations))} ${finding.unit}`,
    ].join('')
  }
  return [
    '',
    chalk.bold(`  resource  time       millibits    bound  verdict     the spy saw`),
    ...findings.flatMap(pair => pair.map(row)),
    '',
    `  millibits: of the 4 bits a symbol, ${count} symbols; bound: one in 1000 shuffles shows more`,
    '  none: the spy sees to the cycle what it sees when nothing is sent',
    '',
    chalk.bold('  What it costs two guests that always have something to do'),
    ...costs.map(
      ({ protection, rounds, share }) =>
        `  ${slotsInWords(protection).padEnd(36)}${number(rounds).padStart(9)} rounds/s${`${(share * 100).toFixed(1)} %`.padStart(10)}`,
    ),
  ]
}
