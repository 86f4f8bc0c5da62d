/** The driver of an APLIC's domain that makes messages of wires (AIA 4.9), all for one hart's interrupt file. */
import type { Environment } from './environment.ts'
import { aplic, SOURCE_MODE } from '../hw/spec/devices/aplic.ts'
import { withField } from '../hw/spec/registers.ts'

const BY_MESSAGE = withField(aplic.domaincfg.fields.IE, withField(aplic.domaincfg.fields.DM, 0, 1), 1)

export interface AplicConfig {
  /** Index of the hart whose file the messages go to. */
  readonly hart: number
}

export interface AplicDevice {
  start(): void
  /** Lets a wire through, that is up when it has something to say; its message's identity is its own number. */
  enable(source: number): void
  disable(source: number): void
  /** Its message has been handled: if the wire is still up, there is another (AIA 4.9.2). */
  complete(source: number): void
}

export function aplicDriver(env: Environment, config: AplicConfig): AplicDevice {
  const { device } = env
  const { EIID, HartIndex } = aplic.target.fields

  return {
    start: () => device.write(aplic.domaincfg, BY_MESSAGE),
    enable(source) {
      device.write(aplic.sourcecfg, SOURCE_MODE.LEVEL1, source - 1)
      device.write(aplic.target, withField(EIID, withField(HartIndex, 0, config.hart), source), source - 1)
      device.write(aplic.setienum, source)
    },
    disable: source => device.write(aplic.clrienum, source),
    complete: source => device.write(aplic.setipnum, source),
  }
}
