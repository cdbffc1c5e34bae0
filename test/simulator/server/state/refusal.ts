/** A control command that cannot be carried out; its message goes to whoever sent it. */
export class Refusal extends Error {
  override readonly name = "Refusal"
}
