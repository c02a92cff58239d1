// What is wrong with a template, and where.

export class TemplateError extends Error {
  /** Characters from the start of the template. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'TemplateError';
    this.offset = offset;
  }
}
