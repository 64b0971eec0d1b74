import { z } from 'zod';
import { isStorable } from '../database/storable.ts';
import { Refusal, UserErrorCode, ValidationError } from './user-errors.ts';

/** Rules for what people type. They stand next to the inputs; all faults of an input are reported at once. */

/** The input as the rules leave it; throws a Refusal with everything that is wrong with it. */
export function validate<T extends z.ZodObject>(rules: T, input: object): Given<z.infer<T>> {
  // TypeGraphQL may write absent fields as undefined ones; absent they are, and must not overwrite anything.
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const read = rules.safeParse(given);
  if (read.success) return read.data as Given<z.infer<T>>;
  throw new Refusal(...read.error.issues.slice(0, MOST_FAULTS).map(validationError));
}

/** Of a list with as many blanks as a request can hold nobody wants to read each. */
const MOST_FAULTS = 100;

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Text that is not blank, of at most so many characters. */
export const text = (limit: number) => notBlank.check(fits(limit));

/** Text that may be left empty; null and "" are both none. */
export const optionalText = (limit: number) =>
  z.nullable(z.string().check(storable, fits(limit))).transform((value) => value || null);

/** An absolute http(s) URL; null and "" are both none. */
export const optionalUrl = (limit: number) =>
  z
    .nullable(z.string().check(storable, fits(limit), refine(isHttpUrl, UserErrorCode.INVALID, 'is invalid')))
    .transform((value) => value || null);

/** A fault of a rule of one's own. */
export const refine = (isRight: (value: string) => boolean, code: UserErrorCode, message: string, limit?: number) =>
  z.refine<string>(isRight, { error: message, params: { code, limit } });

/** A limit as descriptions write it: 100,000. */
export const formatLimit = (limit: number): string => limit.toLocaleString('en');

export const countCharacters = (value: string): number => [...value].length;

/** At most so many characters. */
export const fits = (limit: number) =>
  refine(
    (value) => countCharacters(value) <= limit,
    UserErrorCode.TOO_LONG,
    `is too long (maximum is ${limit} characters)`,
    limit,
  );

export const storable = refine(isStorable, UserErrorCode.INVALID, 'is invalid');

const notBlank = z.string().check(
  refine((value) => value.trim() !== '', UserErrorCode.BLANK, "can't be blank"),
  storable,
);

function isHttpUrl(value: string): boolean {
  return value === '' || (/^https?:\/\//i.test(value) && !/\s/.test(value) && URL.canParse(value));
}

/** What is no string where one must be can only be null: GraphQL has seen to the rest. */
function validationError({ path, message, ...issue }: z.core.$ZodIssue): ValidationError {
  const { code, limit } = ('params' in issue ? issue.params : {}) as { code?: UserErrorCode; limit?: number };
  const where = ['input', ...path.map(String)];
  return code
    ? new ValidationError(code, message, where, limit)
    : new ValidationError(UserErrorCode.BLANK, "can't be blank", where);
}
