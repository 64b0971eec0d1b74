/** Full sentences about errors, for people. The messages beside them are RealWorld's words, which lack a subject. */

/** The sentence for a message about the input at the path: "The title can't be blank." */
export function sentenceAbout(path: readonly string[] | null, message: string): string {
  const [name = '', item] = path?.slice(1) ?? [];
  const subject = name === 'tagList' && item !== undefined ? `Tag ${Number(item) + 1}` : subjectOf(name);
  return `${subject} ${message}.`;
}

export const subjectOf = (name: string): string =>
  SUBJECTS[name] ?? `The ${name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`) || 'request'}`;

/** Inputs whose names are not what people call them. */
const SUBJECTS: Record<string, string> = {
  body: 'The text',
  coverImage: 'The address of the cover image',
  email: 'The e-mail address',
  image: 'The address of the image',
  tagList: 'The list of tags',
};
