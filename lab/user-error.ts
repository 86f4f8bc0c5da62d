/** A mistake of the user's: one clear line that names the value, the place and the remedy; exit code 2. */
export class UserError extends Error {
  override readonly name = 'UserError'
}
