/** The report as one HTML page that needs nothing else. */
import { isMicrobenchmark } from '../study/micro.ts'
import { element, raw } from './markup.ts'
import type { ReportData } from './report-data.ts'
import { section } from './sections/block.ts'
import { consolidationSection } from './sections/consolidation.ts'
import { calibrationSection } from './sections/calibration.ts'
import { headSection } from './sections/head.ts'
import { microSection } from './sections/micro.ts'
import { axisSection, notesSection, overviewSection, sensitivitySection } from './sections/studies.ts'
import { summarySection } from './sections/summary.ts'
import { workloadSection } from './sections/workload.ts'
import { STYLE } from './style.ts'

const TITLE = 'Type 1 against type 2'

/** `files` are those beside it. */
export function page(data: ReportData, files: readonly string[]): string {
  const workloads = data.study.comparisons.filter(({ workload }) => !isMicrobenchmark(workload))
  const parts = [
    overviewSection(data),
    microSection(data),
    axisSection(data),
    sensitivitySection(data),
    calibrationSection(data),
    consolidationSection(data),
  ]
  const links = [
    ...['overview', 'micro', 'axes', 'sensitivity', 'calibration', 'consolidation'].filter((_, at) => parts[at]),
    ...workloads.map(({ workload }) => `w-${workload}`),
    'notes',
  ]
  const { markup } = element(
    'html',
    { lang: 'en' },
    element(
      'head',
      {},
      element('meta', { charset: 'utf-8' }),
      element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
      element(
        'title',
        {},
        `${TITLE}: ${
          workloads
            .map(({ workload }) => workload)
            .slice(0, 6)
            .join(', ') || 'micro'
        }`,
      ),
      element('style', {}, raw(STYLE)),
    ),
    element(
      'body',
      {},
      element('h1', {}, TITLE),
      element(
        'p',
        { class: 'lead' },
        'The same guests on the same simulated RISC-V machine: bare, under a native (type 1) and under a hosted (type 2) hypervisor, one thing changed at a time, every cycle accounted for.',
      ),
      summarySection(data),
      element(
        'nav',
        {},
        links.map(link => element('a', { href: `#${link}` }, link.replace(/^w-/, ''))),
      ),
      headSection(data),
      parts,
      workloads.length === 0
        ? undefined
        : section(
            'workloads',
            'Workload by workload',
            workloads.map(comparison => workloadSection(comparison, data)),
          ),
      notesSection(files),
    ),
  )
  return `<!doctype html>\n${markup}\n`
}
