/** Conclusions and what they rest on, in lines for the terminal. */
import chalk from 'chalk'
import type { Conclusion, Order } from './conclusions.ts'

/** Failing reruns that are named; the data has them all. */
const NAMED = 6

/** One conclusion: it survives, or is undecided, and where it fails. */
export function conclusionLines({ less, more, tried, survives, fails, decisive }: Conclusion): readonly string[] {
  const { prices, jointly, pathLengths } = tried
  const claim = `  ${less} costs less than ${more}`
  const reruns = [
    prices > 0 ? `${prices} with one price changed` : '',
    jointly > 0 ? `${jointly} with all prices drawn` : '',
    pathLengths > 0 ? `${pathLengths} path lengths` : '',
  ].filter(text => text !== '')
  if (survives) return [`${claim}: ${chalk.green('survives')} ${chalk.dim(reruns.join(', '))}`]
  const named = fails.filter(({ variation }) => variation.kind !== 'joint').map(({ variation }) => variation.name)
  const draws = fails.length - named.length
  const more_ = named.length > NAMED ? [`and ${named.length - NAMED} more`] : []
  return [
    `${claim}: ${chalk.yellow('undecided')}`,
    ...(named.length > 0 ? [`    not so with ${[...named.slice(0, NAMED), ...more_].join(', ')}`] : []),
    ...(draws > 0
      ? [
          `    not so in ${draws} of ${jointly} joint draws${decisive.length > 0 ? `: those with ${decisive.join(', ')}` : ''}`,
        ]
      : []),
  ]
}

/** By workload: the order of its configurations, then each conclusion. */
export function sensitivityLines(orders: readonly Order[], conclusions: readonly Conclusion[]): string {
  return orders
    .flatMap(({ workload, order, survives }) => {
      const own = conclusions.filter(conclusion => conclusion.workload === workload)
      const word = own.length === 0 ? 'no difference shown' : survives ? 'the order survives' : 'the order is undecided'
      return [`${chalk.cyan(workload)}: ${order.join(' ≤ ')}: ${word}`, ...own.flatMap(conclusionLines)]
    })
    .join('\n')
}
