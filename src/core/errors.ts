/**
 * An input that cannot be read: missing, empty, no trace at all, or of a kind that is refused. The message
 * is one line that says what is wrong, where, and what to do; the command line prints it without a stack.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
}
