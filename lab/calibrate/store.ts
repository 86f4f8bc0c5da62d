/** The last calibration, kept for whoever wants to show its ratios. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Calibration } from './calibration.ts'
import { calibrationDirectory } from './hosted-vmms.ts'

/** Where `barehart calibrate` writes its findings. */
export function calibrationFile(): string {
  return join(calibrationDirectory(), 'calibration.json')
}

/** The figures that came with the package: docs/calibration.json. `lab/` lies one folder below docs' parent from source, two when emitted. */
function committed(): Calibration | undefined {
  for (const path of ['../../docs/calibration.json', '../../../docs/calibration.json']) {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Calibration
    } catch {
      continue
    }
  }
  return undefined
}

/** The last calibration on this computer, else the one that came with the package. */
export function readCalibration(): Calibration | undefined {
  try {
    return JSON.parse(readFileSync(calibrationFile(), 'utf8')) as Calibration
  } catch {
    return committed()
  }
}

/** Keeps these parts; others stay as they were measured last on this computer. */
export function storeCalibration(parts: Calibration): void {
  const file = calibrationFile()
  let before: Calibration = {}
  try {
    before = JSON.parse(readFileSync(file, 'utf8')) as Calibration
  } catch {
    // none yet
  }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ ...before, ...parts }, undefined, 1)}\n`)
}
