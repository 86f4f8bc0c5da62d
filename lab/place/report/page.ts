/** The report on placements: one HTML page that needs nothing else. */
import { type Child, element, type Markup, raw } from '../../report/markup.ts'
import { quantity, ranges, short, whole } from '../../report/numbers.ts'
import { figureBlock, list, paragraph, section, table } from '../../report/sections/block.ts'
import { STYLE } from '../../report/style.ts'
import { FAULT_KINDS, faultNamed } from '../faults/kinds.ts'
import { hardwareKinds, hardwareNamed, isHardware } from '../faults/hardware.ts'
import type { BlastOfKind } from '../faults/blast.ts'
import { BYSTANDERS } from '../faults/blast.ts'
import { placementNamed, type PlacementName } from '../placements.ts'
import { cyclesFigure, latencyFigure } from './bars.ts'
import { blastChart } from './chart.ts'
import type { PlaceReportData } from './data.ts'
import { pathFigure } from './path-figure.ts'

const TITLE = 'Where should drivers live'

const label = (placement: PlacementName) => placementNamed(placement).label

/** `files` are those beside it. */
export function placePage(data: PlaceReportData, files: readonly string[]): string {
  const { findings, paths, blasts, workload } = data
  const { markup } = element(
    'html',
    { lang: 'en' },
    element(
      'head',
      {},
      element('meta', { charset: 'utf-8' }),
      element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
      element('title', {}, `${TITLE}: ${workload}`),
      element('style', {}, raw(STYLE)),
    ),
    element(
      'body',
      {},
      element('h1', {}, TITLE),
      paragraphOf(
        'lead',
        'The same driver source on the same simulated RISC-V machine, in every place where a driver may live; nothing else is changed, and every cycle is accounted for.',
      ),
      facts(data),
      section(
        'speed',
        'Speed',
        speedTable(data),
        reproduction(data),
        figureBlock('Latency of a request', latencyFigure(findings)),
        figureBlock('Where the cycles of an operation went', cyclesFigure(findings)),
      ),
      blasts.length > 0
        ? section(
            'blast',
            'Speed against blast radius',
            paragraph(
              'How long a request takes, and the farthest that a fault of the driver has been seen to reach. Lower and farther left is better on both counts.',
            ),
            figureBlock('Speed against blast radius', blastChart(findings)),
          )
        : undefined,
      paths.length > 0
        ? section(
            'path',
            'The way of one request',
            paragraph(
              'The request of median latency, from before the guest gives it to its driver to when its task has the answer: who was running, doing what, and from when to when the device was at memory.',
            ),
            figureBlock(`One request of ${workload}`, pathFigure(paths)),
          )
        : undefined,
      crowds(data),
      faults(data),
      containment(data),
      differences(data),
      section(
        'notes',
        'Notes',
        list([
          `Beside this page: ${files.join(', ')}.`,
          'Placements, and how each number is measured: docs/place.md. What papers have found, and how far this agrees: docs/placement-study.md.',
          ...data.lacks.map(lack => `Not measured: ${lack}.`),
        ]),
      ),
    ),
  )
  return `<!doctype html>\n${markup}\n`
}

function paragraphOf(name: string, ...children: readonly Child[]): Markup {
  return element('p', { class: name }, children)
}

function facts({
  command,
  date,
  core,
  model,
  pricesHash,
  workload,
  does,
  device,
  harts,
  seeds,
}: PlaceReportData): Markup {
  const rows: readonly (readonly [string, Child])[] = [
    ['Made by', element('code', {}, command)],
    ['Date', date],
    ['Workload', `${workload}: ${does}`],
    ['Device', device === 'nvme' ? 'NVMe controller' : '82576 network card'],
    ['Machine', `board virt, ${harts} hart${harts === 1 ? '' : 's'} at 1 GHz; ${core} core, ${model} model`],
    ['Price list', `sha256 ${pricesHash}`],
    ['Seeds', `${ranges(seeds)}, the same for every placement`],
  ]
  return element(
    'dl',
    { class: 'facts' },
    rows.map(([term, value]) => [element('dt', {}, term), element('dd', {}, value)]),
  )
}

function speedTable({ findings }: PlaceReportData): Markup {
  return table(
    [
      'driver in',
      'operations/s',
      'median, µs',
      '99 %',
      'worst',
      'cycles/op',
      'harts busy',
      'lines to trust',
      'a fault reaches',
    ],
    findings.map(({ placement, throughput, latency, cyclesPerOperation, shares, trustedLines, blastRadius }) => [
      label(placement),
      short(throughput),
      quantity(latency.median),
      quantity(latency.p99),
      quantity(latency.worst),
      short(cyclesPerOperation),
      `${((1 - (shares.idle ?? 0)) * 100).toFixed(1)} %`,
      whole(trustedLines),
      blastRadius.at(-1) ?? '–',
    ]),
    [8],
  )
}

function reproduction({ findings, workload, device, options }: PlaceReportData): Markup {
  return element(
    'div',
    { class: 'reproduce' },
    element('code', {}, [`npx barehart place ${workload} --device ${device}`, ...options, '--json'].join(' ')),
    findings.map(({ placement, seed, configurationHash, traceHash }) =>
      element('span', {}, `${label(placement)}: seed ${seed}, configuration ${configurationHash} → trace ${traceHash}`),
    ),
  )
}

function crowds({ findings }: PlaceReportData): Markup | undefined {
  const rows = findings.flatMap(finding => {
    const { placement, guests, throughput, latency, cyclesPerOperation, crowds: others } = finding
    const alone = { guests, throughput, each: throughput / guests, latency, cyclesPerOperation }
    return [alone, ...others].map(crowd => ({ placement, ...crowd }))
  })
  if (rows.length === findings.length) return undefined
  return section(
    'crowds',
    'Many guests on one device',
    table(
      ['driver in', 'guests', 'operations/s of all', 'of each', 'median, µs', '99 %', 'cycles/op'],
      rows.map(({ placement, guests, throughput, each, latency, cyclesPerOperation }) => [
        label(placement),
        guests,
        short(throughput),
        short(each),
        quantity(latency.median),
        quantity(latency.p99),
        short(cyclesPerOperation),
      ]),
    ),
  )
}

function faults({ blasts, device }: PlaceReportData): Markup | undefined {
  if (blasts.length === 0) return undefined
  const rows = [...FAULT_KINDS, ...hardwareKinds(device)].filter(kind =>
    blasts.some(({ kinds }) => kinds.some(of => of.kind === kind)),
  )
  return section(
    'faults',
    'Faults of the driver and of its device',
    paragraph(
      'The same faults, planted into the same driver: of those that struck, the farthest that one reached, how many all users of the driver got over, and the longest that took.',
    ),
    table(
      ['fault', ...blasts.map(({ placement }) => label(placement))],
      rows.map(kind => [kind, ...blasts.map(({ kinds }) => inWords(kinds.find(of => of.kind === kind)))]),
      blasts.map((_, index) => index + 1),
    ),
    list([
      ...rows.map(kind => `${kind}: ${isHardware(kind) ? hardwareNamed(kind).does : faultNamed(kind).does}.`),
      ...blasts.map(
        ({ placement, struck, contains, escapes, refused, disturbance }) =>
          `${label(placement)}: ${struck} faults; ${contains ? (escapes.length === 0 ? 'none reached other guests' : `${escapes.length} reached other guests although none should`) : 'no containment is claimed'}${disturbance >= 1 ? `; other guests went on ${short(disturbance)} µs late at worst` : ''}${refused > 0 ? `; the IOMMU refused ${refused} requests` : ''}.`,
      ),
    ]),
  )
}

function containment({ containments }: PlaceReportData): Markup | undefined {
  if (containments.length === 0) return undefined
  return section(
    'containment',
    'What others see of the driver’s faults',
    paragraph(
      'Where faults of the driver are said to be contained: random ones, each looked at until the guests that have nothing to do with the driver had come to their ends. A fault is seen if one of them says something else, or has something else in its memory.',
    ),
    table(
      ['driver in', 'faults', 'seen by others', 'late by at most, µs', 'requests refused'],
      containments.map(({ placement, struck, escapes, disturbance, refused }) => [
        label(placement),
        String(struck),
        escapes.length === 0 ? 'none' : escapes.map(({ seed }) => `seed ${seed}`).join(', '),
        short(disturbance),
        String(refused),
      ]),
      [1, 2, 3, 4],
    ),
  )
}

function inWords(found: BlastOfKind | undefined): Child {
  if (!found) return '–'
  const { struck, reached, recovered, longestRecovery, lost } = found
  const farthest = BYSTANDERS.findLast(who => (reached[who] ?? 0) > 0) ?? 'nobody'
  const after = recovered > 0 && longestRecovery >= 1 ? `, ${short(longestRecovery)} µs` : ''
  const wrong = lost > 0 ? `; ${lost} wrong` : ''
  return element(
    'div',
    {},
    farthest,
    element('br'),
    element('small', {}, `over it ${recovered} of ${struck}${after}${wrong}`),
  )
}

const WORDS = {
  throughput: 'throughput',
  latency: 'median latency',
  cyclesPerOperation: 'cycles per operation',
} as const

function differences({ differences: all, seeds }: PlaceReportData): Markup | undefined {
  if (seeds.length < 2 || all.length === 0) return undefined
  const [{ a: base }] = all
  return section(
    'differences',
    `Against ${label(base)}`,
    paragraph(`Over ${seeds.length} seeds, paired: median and 95 % interval, in per cent.`),
    table(
      ['driver in', 'quantity', 'difference', 'from', 'to'],
      all
        .filter(({ a }) => a === base)
        .map(({ b, quantity: what, median, low, high, undecided }) => [
          label(b),
          WORDS[what],
          undecided ? 'not shown' : `${median.toFixed(1)} %`,
          `${low.toFixed(1)} %`,
          `${high.toFixed(1)} %`,
        ]),
      [1],
    ),
  )
}
