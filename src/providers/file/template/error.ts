// What is wrong with a template, and where.

export class TemplateError extends Error {
  /** Characters from the start of the template. */
  readonly offset: number;

  readonly hint: string | undefined;

  constructor(message: string, offset: number, hint?: string) {
    super(message);
    this.name = 'TemplateError';
    this.offset = offset;
    this.hint = hint;
  }
}
