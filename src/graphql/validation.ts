import { z } from 'zod';
import { isStorable } from '../database/storable.ts';
import { Refusal, UserErrorCode, ValidationError } from './user-errors.ts';

/** Validation of inputs with Zod. Rules are declared next to the inputs; all errors of an input are reported at once. */

/** The parsed input; throws a Refusal with all errors, up to MAX_ERRORS. */
export function validate<T extends z.ZodObject>(rules: T, input: object): Given<z.infer<T>> {
  // TypeGraphQL may set absent fields to undefined, which must not overwrite existing values.
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const result = rules.safeParse(given);
  if (result.success) return result.data as Given<z.infer<T>>;
  throw new Refusal(...result.error.issues.slice(0, MAX_ERRORS).map(validationError));
}

/** A list may hold as many blank items as fit into a request. */
const MAX_ERRORS = 100;

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Text that is not blank, with a maximum length. */
export const text = (limit: number) => notBlank.check(maxLength(limit));

/** Text that may be empty; "" becomes null. */
export const optionalText = (limit: number) =>
  z.nullable(z.string().check(storable, maxLength(limit))).transform((value) => value || null);

/** An absolute http(s) URL; "" becomes null. */
export const optionalUrl = (limit: number) =>
  z
    .nullable(z.string().check(storable, maxLength(limit), refine(isHttpUrl, UserErrorCode.INVALID, 'is invalid')))
    .transform((value) => value || null);

/** A custom rule that reports a user error. */
export const refine = (isValid: (value: string) => boolean, code: UserErrorCode, message: string, limit?: number) =>
  z.refine<string>(isValid, { error: message, params: { code, limit } });

/** A limit as descriptions write it: 100,000. */
export const formatLimit = (limit: number): string => limit.toLocaleString('en');

export const countCharacters = (value: string): number => [...value].length;

export const maxLength = (limit: number) =>
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

/** An issue without a code is a null where a string is required: GraphQL has checked the other types. */
function validationError({ path, message, ...issue }: z.core.$ZodIssue): ValidationError {
  const { code, limit } = ('params' in issue ? issue.params : {}) as { code?: UserErrorCode; limit?: number };
  const inputPath = ['input', ...path.map(String)];
  return code
    ? new ValidationError(code, message, inputPath, limit)
    : new ValidationError(UserErrorCode.BLANK, "can't be blank", inputPath);
}
