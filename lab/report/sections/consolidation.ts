/** Guests side by side until the machine is full, and what is gone before there is any. */
import { configurationNamed } from '../../study/configurations.ts'
import type { Consolidation } from '../../study/consolidation.ts'
import { curves } from '../figures/curves.ts'
import { element, type Markup } from '../markup.ts'
import { quantity, whole } from '../numbers.ts'
import type { ReportData } from '../report-data.ts'
import { figureBlock, paragraph, section, table } from './block.ts'

const MIB = 2 ** 20

export function consolidationSection({ consolidation, does }: ReportData): Markup | undefined {
  const [first] = consolidation ?? []
  if (!consolidation || !first) return undefined
  const of = (value: (point: Consolidation['points'][number]) => number) =>
    consolidation.map(({ configuration, points }) => ({
      configuration,
      points: points.map(point => [point.guests, value(point)] as const),
    }))
  return section(
    'consolidation',
    'Consolidation: guests until the machine is full',
    paragraph(
      `${first.ramBytes / MIB} MiB of RAM, guests of ${first.guestBytes / MIB} MiB on one hart. Each: ${does['tenant'] ?? 'tenant'}.`,
    ),
    table(
      [
        'configuration',
        'guests that fit',
        'requests/s then',
        'MiB for guests',
        'MiB at rest',
        'cycles/s at rest',
        'what ends it',
      ],
      consolidation.map(({ configuration, points, lost, limit }) => [
        configurationNamed(configuration).label,
        points.length,
        quantity(points.at(-1)?.total ?? 0),
        (lost.ramBytes - lost.bytes) / MIB,
        lost.bytes / MIB,
        whole(lost.cyclesPerSecond),
        limit,
      ]),
      [6],
    ),
    element('details', {}, element('summary', {}, 'Every number of guests'), everyNumber(consolidation)),
    element('details', {}, element('summary', {}, 'What is taken at rest, by what for'), atRest(consolidation)),
    figureBlock(
      'Throughput of all guests together',
      curves(
        'Throughput of all guests',
        'guests',
        'requests a second, all guests',
        of(point => point.total),
      ),
      reproduction(consolidation),
    ),
    figureBlock(
      'Throughput of each guest',
      curves(
        'Throughput of each guest',
        'guests',
        'requests a second, each guest',
        of(point => point.each),
      ),
      reproduction(consolidation),
    ),
  )
}

/** Memory by part, and cycles a second by who and why. */
function atRest(consolidation: readonly Consolidation[]): Markup {
  return table(
    ['configuration', 'what', 'MiB', 'cycles/s'],
    consolidation.flatMap(({ configuration, lost }) => [
      ...lost.memory.map(({ what, bytes }) => [configurationNamed(configuration).label, what, bytes / MIB, '']),
      ...lost.rows.map(({ party, cause, cyclesPerSecond }) => [
        configurationNamed(configuration).label,
        `${party}: ${cause}`,
        '',
        whole(cyclesPerSecond),
      ]),
    ]),
    [1],
  )
}

function everyNumber(consolidation: readonly Consolidation[]): Markup {
  const most = Math.max(...consolidation.map(({ points }) => points.length))
  return table(
    [
      'guests',
      ...consolidation.map(({ configuration }) => `${configurationNamed(configuration).label}, requests/s of all`),
    ],
    Array.from({ length: most }, (_, index) => [
      index + 1,
      ...consolidation.map(({ points }) => {
        const point = points.at(index)
        return point ? whole(point.total) : 'does not fit'
      }),
    ]),
  )
}

function reproduction(consolidation: readonly Consolidation[]): Markup {
  const names = consolidation.map(({ configuration }) => configuration).join(',')
  return element(
    'div',
    { class: 'reproduce' },
    element('code', {}, `npx barehart consolidate --configurations ${names} --json`),
    element('span', {}, 'seed 0'),
    consolidation.map(({ configuration, configurationHash, points }) =>
      element(
        'span',
        {},
        `${configurationNamed(configuration).label}: configuration ${configurationHash}, ${points.length} guests → trace ${points.at(-1)?.traceHash ?? 'none'}`,
      ),
    ),
  )
}
