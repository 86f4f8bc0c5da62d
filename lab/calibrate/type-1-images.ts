/** A folder of real type-1 hypervisors' images: `type-1.json` there says whose they are, and how they were configured. */
import { join } from 'node:path'
import { readImage } from '../files.ts'
import { UserError } from '../user-error.ts'

export const TYPE_1_PROJECTS = ['Xvisor', 'Bao'] as const
export type Type1Project = (typeof TYPE_1_PROJECTS)[number]

/** One of the folder's hypervisors. */
export interface Type1Image {
  readonly project: Type1Project
  /** The commit that it was built from. */
  readonly version: string
  readonly configuration: string
  readonly image: Uint8Array
}

const LIST = 'type-1.json'
const REMEDY = 'docs/calibration-type-1.md says what is expected there'

/** Reads the folder. */
export function readType1Images(folder: string): readonly Type1Image[] {
  const path = join(folder, LIST)
  const text = Buffer.from(readImage(path, 'list of images', REMEDY)).toString('utf8')
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch (error) {
    throw new UserError(`${path} is not JSON: ${(error as Error).message}; ${REMEDY}`)
  }
  if (!Array.isArray(list) || list.length === 0) throw new UserError(`${path} is not a list of images; ${REMEDY}`)
  return list.map((entry: unknown, index) => type1Image(entry, `${path}, entry ${index + 1}`, folder))
}

function type1Image(entry: unknown, place: string, folder: string): Type1Image {
  const text = (key: string): string => {
    const value: unknown = typeof entry === 'object' && entry !== null ? Reflect.get(entry, key) : undefined
    if (typeof value !== 'string' || value === '') throw new UserError(`${place}: "${key}" is not a text; ${REMEDY}`)
    return value
  }
  const named = text('project')
  const project = TYPE_1_PROJECTS.find(known => known === named)
  if (!project) {
    throw new UserError(`${place}: project "${named}" is none of ${TYPE_1_PROJECTS.join(', ')}; ${REMEDY}`)
  }
  const [version, configuration] = [text('version'), text('configuration')]
  return { project, version, configuration, image: readImage(join(folder, text('image')), `${place}: image`, REMEDY) }
}
