/** What goes across workloads: all at a glance, results by axis, and whether conclusions survive other prices. */
import { type Axis, type Configuration, configurationNamed } from '../../study/configurations.ts'
import { isMicrobenchmark } from '../../study/micro.ts'
import { ENOUGH } from '../../study/statistics.ts'
import { overview, type OverviewRow } from '../figures/overview.ts'
import { ratio } from '../findings.ts'
import { element, type Markup } from '../markup.ts'
import { ranges, signed, times } from '../numbers.ts'
import type { ReportData } from '../report-data.ts'
import { figureBlock, list, paragraph, section, table } from './block.ts'

/** All workloads against the bare machine, or against the first configuration there is. */
export function overviewSection({ study, command, seeds }: ReportData): Markup | undefined {
  const comparisons = study.comparisons.filter(({ workload }) => !isMicrobenchmark(workload))
  const names = [...new Set(comparisons.flatMap(({ summary }) => summary.map(({ configuration }) => configuration)))]
  const base: Configuration | undefined = names.includes('bare') ? 'bare' : names[0]
  if (base === undefined || names.length < 2) return undefined
  const rows: readonly OverviewRow[] = comparisons.flatMap(comparison => {
    const points = names.flatMap(configuration => {
      const found = configuration === base ? undefined : ratio(comparison, base, configuration)
      return found ? [{ configuration, ...found }] : []
    })
    return points.length === 0 ? [] : [{ workload: comparison.workload, points }]
  })
  if (rows.length === 0) return undefined
  return section(
    'overview',
    'All workloads at a glance',
    figureBlock(
      `Time against ${configurationNamed(base).label}, median and 95 % interval of the pairs. ${names
        .filter(name => name !== base)
        .map(name => `${shapeOf(configurationNamed(name).vmm)} ${configurationNamed(name).label}`)
        .join(', ')}.`,
      overview('Time of all workloads', base, rows),
      element(
        'div',
        { class: 'reproduce' },
        element('code', {}, command),
        element(
          'span',
          {},
          `seeds ${ranges(seeds)}; the configuration hash and the trace hash of every run are in results.csv`,
        ),
      ),
    ),
  )
}

function shapeOf(vmm: 'none' | 'native' | 'hosted'): string {
  return vmm === 'native' ? '●' : vmm === 'hosted' ? '■' : '◆'
}

const QUESTION: Readonly<Record<Axis, string>> = {
  drivers: 'Who owns the drivers',
  emulates: 'Who emulates',
  schedules: 'Who schedules',
}

export function axisSection({ study: { axes } }: ReportData): Markup | undefined {
  if (axes.length === 0) return undefined
  return section(
    'axes',
    'Results by axis',
    paragraph('Differences between configurations that are alike in everything but one axis: what that one is worth.'),
    axes.map(({ axis, differences }) => [
      element('h3', {}, QUESTION[axis]),
      table(
        ['workload', 'from', 'to', 'paired difference', '95 % interval', 'unit'],
        differences.map(({ workload, unit, a, b, median, low, high, undecided, pairs }) => [
          workload,
          place(a, axis),
          place(b, axis),
          undecided || pairs < ENOUGH
            ? `${signed(median)} (${pairs < ENOUGH ? 'not stated' : 'none shown'})`
            : signed(median),
          low === high ? '–' : `${signed(low)} to ${signed(high)}`,
          unit,
        ]),
        [1, 2, 5],
      ),
    ]),
  )
}

function place(name: Configuration, axis: Axis): string {
  const { label, axes } = configurationNamed(name)
  return `${axes[axis]} (${label})`
}

export function sensitivitySection({ sensitivity }: ReportData): Markup | undefined {
  if (!sensitivity) return undefined
  const { command, conclusions, draws } = sensitivity
  return section(
    'sensitivity',
    'Would it still be so with other prices?',
    paragraph(
      `The machine was run again, with all prices drawn at random between half and double (${times(draws)}), and with path lengths at ×0.7 and ×1.4. A conclusion that one rerun turns around is undecided.`,
    ),
    table(
      ['conclusion', 'verdict', 'fails in', 'decided by'],
      conclusions.map(({ statement, tried, survives, fails, decisive }) => {
        const all = tried.prices + tried.jointly + tried.pathLengths
        const named = fails.filter(({ variation }) => variation.kind !== 'joint').map(({ variation }) => variation.name)
        return [
          statement,
          survives ? 'survives' : 'undecided',
          survives
            ? `none of ${all}`
            : `${fails.length} of ${all}${named.length > 0 ? `: ${named.slice(0, 4).join(', ')}${named.length > 4 ? ' …' : ''}` : ''}`,
          decisive.join(', '),
        ]
      }),
      [1, 2, 3],
    ),
    element('div', { class: 'reproduce' }, element('code', {}, command)),
  )
}

export function notesSection(files: readonly string[]): Markup {
  return section(
    'notes',
    'How to read this',
    list([
      'Nothing here is a guess of how slow something is: every act of hypervisor, host kernel, driver and guest is an operation on the simulated machine, and each cycle is charged to who spent it (party), why (cause) and doing what (activity). The rows of a ledger sum to the clock, so those of a difference sum to the difference.',
      'A seed places pages, shifts the timers against the guest and decides which hart goes first. Medians are of the seeds; intervals hold the median with at least 95 % confidence whatever the distribution. Differences are of pairs with the same seed. One whose interval includes zero is printed as “no difference shown”.',
      'The same command with the same sources gives the same configuration hash and the same trace hash, on any host.',
      ['Beside this page: ', files.join(', '), '.'],
    ]),
  )
}
