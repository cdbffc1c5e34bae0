/** An instruction that cannot be followed: the control client sees the message as a `SimulatorError`. */
export class Refusal extends Error {
  override readonly name = "Refusal"
}
