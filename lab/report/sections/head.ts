/** What was measured, on which machine, by which prices, and how far others' software agrees. */
import { isWithin } from '../../calibrate/calibration.ts'
import { configurationNamed } from '../../study/configurations.ts'
import { middleRatio } from '../findings.ts'
import { type Child, element, type Markup, together } from '../markup.ts'
import { ranges } from '../numbers.ts'
import type { ReportData } from '../report-data.ts'
import { table } from './block.ts'

export function headSection(data: ReportData): Markup {
  const { study, seeds, harts, pathLength, pricesHash, command, date } = data
  const [first] = study.results
  const names = [...new Set(study.results.map(({ configuration }) => configuration))]
  const facts: readonly (readonly [string, Child])[] = [
    ['Made by', element('code', {}, command)],
    ['Date', date],
    [
      'Machine',
      `board virt: RV64GC with the hypervisor extension, ${harts} hart${harts === 1 ? '' : 's'} at 1 GHz, NVMe disk, 82576 network card`,
    ],
    ['Core and model', first ? `${first.core}, ${first.model}` : 'none'],
    ['Price list', `sha256 ${pricesHash} (core, disk and network card)`],
    ['Path length', `counted, ×${pathLength}`],
    ['Seeds', `${ranges(seeds)} (page placement, timer phase, turns of harts), the same for every configuration`],
    ['Calibration', calibrationInWords(data.calibration)],
  ]
  return together(
    element(
      'dl',
      { class: 'facts' },
      facts.map(([term, value]) => [element('dt', {}, term), element('dd', {}, value)]),
    ),
    table(
      ['configuration', 'what it is', 'whose drivers', 'who emulates', 'who schedules'],
      names.map(name => {
        const { label, does, axes } = configurationNamed(name)
        return [label, does, axes.drivers, axes.emulates, axes.schedules]
      }),
      [1, 2, 3, 4],
    ),
  )
}

/** How near others' software ours is: for each judge, how many figures are within a quarter, and the middle ratio. */
function calibrationInWords(calibration: ReportData['calibration']): Child {
  const parts = Object.entries(calibration ?? {})
  if (parts.length === 0) return 'not calibrated on this machine'
  return parts.map(([name, part]) => {
    const { rows, date } = part
    const better = rows.some(row => row.orBetter) ? ' or better' : ''
    return element(
      'div',
      {},
      `${name}: ${rows.filter(isWithin).length} of ${rows.length} figures within 25 %${better}, middle ratio ${middleRatio(part).toFixed(2)} (${date.slice(0, 10)})`,
    )
  })
}
