/** One seed for every property: a failure names it, and the path that replays the case. */
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['BAREHART_SEED'] ?? 20_261_123) })
