/** A text, such as a word of a command line, without the users and passwords in its URLs. */
export function withoutSecrets(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)\S*@/gi, '$1');
}
