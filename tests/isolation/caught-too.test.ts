/** Each bug of the library, planted, is caught: the other half. */
import { testBugs } from './soon-caught.ts'

testBugs(1)
