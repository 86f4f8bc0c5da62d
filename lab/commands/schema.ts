/** `barehart schema`: the JSON Schema of machine descriptions, for editors and generators. */
import { Command } from 'commander'
import { DescriptionSchema } from '../description/schema.ts'

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of machine descriptions')
    .action(() => console.log(JSON.stringify(DescriptionSchema, undefined, 2)))
}
