/** What was measured, on which machine, by which prices, and how far others' software agrees. */
import { configurationNamed } from '../../study/configurations.ts'
import { element, type Markup, together } from '../markup.ts'
import { more, quantity, ranges } from '../numbers.ts'
import type { ReportData } from '../report-data.ts'
import { paragraph, section, table } from './block.ts'

export function headSection(data: ReportData): Markup {
  const { study, seeds, harts, pathLength, pricesHash, command, date } = data
  const [first] = study.results
  const names = [...new Set(study.results.map(({ configuration }) => configuration))]
  const facts: readonly (readonly [string, string | Markup])[] = [
    ['Made by', element('code', {}, command)],
    ['Date', date],
    [
      'Machine',
      `board virt: RV64GC with the hypervisor extension, ${harts} hart${harts === 1 ? '' : 's'} at 1 GHz, NVMe disk, 82576 network card`,
    ],
    ['Core and model', first ? `${first.core}, ${first.model}` : 'none'],
    ['Price list', `sha256 ${pricesHash}`],
    ['Path length', `counted, ×${pathLength}`],
    ['Seeds', `${ranges(seeds)} (page placement, timer phase, turns of harts), the same for every configuration`],
    [
      'Calibration',
      data.calibration
        ? `${data.calibration.rows.length} figures of others’ software, below`
        : 'not calibrated on this machine',
    ],
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

export function calibrationSection({ calibration }: ReportData): Markup {
  if (!calibration) {
    return section(
      'calibration',
      'Calibration',
      paragraph(
        'Not calibrated on this machine: nothing of others’ was run beside ours. ',
        element('code', {}, 'npx barehart calibrate'),
        ' runs Linux with KVM, and says how far they agree.',
      ),
    )
  }
  return section(
    'calibration',
    'Calibration: others’ software on the same machine',
    paragraph('Judges, not sources: no price and no weight is fitted to them. Ratio is ours ÷ theirs.'),
    table(
      ['what', 'theirs', 'cycles', 'ours', 'cycles', 'ratio'],
      calibration.rows.map(({ benchmark, judge, real, configuration, ours }) => [
        benchmark,
        judge,
        quantity(real),
        configurationNamed(configuration).label,
        quantity(ours),
        `${(ours / real).toFixed(2)} (${more(ours / real)})`,
      ]),
      [1, 3],
    ),
    element('div', { class: 'reproduce' }, element('code', {}, calibration.command)),
  )
}
