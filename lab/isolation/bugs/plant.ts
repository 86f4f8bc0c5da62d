/** For `--import` in a thread or process that is there for one bug, named by BAREHART_BUG: it loads the product with it. */
import { plantForEveryone } from '../../planting/planting.ts'
import { bugOf } from './index.ts'

plantForEveryone([bugOf(process.env['BAREHART_BUG'] ?? '')])
