import { z } from 'zod';
import { isStorable } from '../database/storable.ts';
import { isBlank, isLine, isName, isText } from '../text/characters.ts';
import { toNfc } from '../text/to-nfc.ts';
import { serializeHttpUrl } from './http-url.ts';
import { Refusal, type UserError, UserErrorCode, ValidationError } from './user-errors.ts';

/** Validation of inputs with Zod. Rules are declared next to the inputs; all errors of an input are reported at once. */

/** The parsed input; throws a Refusal with all errors, up to MAX_ERRORS. */
export function validate<T extends z.ZodObject>(rules: T, input: object): Given<z.infer<T>> {
  const { data, errors } = parse(rules, input);
  if (errors.length > 0) throw new Refusal(...errors);
  return data;
}

/** The same, together with the errors that `findMore` finds in the valid fields. */
export async function validateFully<T extends z.ZodObject>(
  rules: T,
  input: object,
  findMore: (valid: Partial<Given<z.infer<T>>>) => Promise<readonly UserError[]>,
): Promise<Given<z.infer<T>>> {
  const { data, errors } = parse(rules, input);
  const all = [...errors, ...(await findMore(errors.length > 0 ? validFields(rules, input) : data))];
  if (all.length > 0) throw new Refusal(...all);
  return data;
}

function parse<T extends z.ZodObject>(rules: T, input: object) {
  // TypeGraphQL may set absent fields to undefined, which must not overwrite existing values.
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const { data, error } = rules.safeParse(given);
  const errors = (error?.issues ?? []).slice(0, MAX_ERRORS).map(validationError);
  return { data: data as Given<z.infer<T>>, errors };
}

function validFields<T extends z.ZodObject>({ shape }: T, input: object) {
  const fields = Object.entries(input).flatMap(([name, value]) => {
    const result = (shape[name] as z.ZodType | undefined)?.safeParse(value);
    return result?.success ? [[name, result.data]] : [];
  });
  return Object.fromEntries(fields) as Partial<Given<z.infer<T>>>;
}

/** A list may hold as many blank items as fit into a request. */
const MAX_ERRORS = 100;

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Text of many lines that is not blank. */
export const text = (limit: number) => z.string().check(notBlank(), consistsOf(isText, limit), maxLength(limit));

/** Text of one line that is not blank. It becomes NFC, like everything by which people find something. */
export const line = (limit: number) => nfc(limit).check(notBlank(), consistsOf(isLine, limit), maxLength(limit));

/** A line in which every character is seen; it becomes NFC. */
export const name = (limit: number, isValid = isName, isEmpty = isBlank) =>
  nfc(limit).check(notBlank(isEmpty), consistsOf(isValid, limit, isEmpty), maxLength(limit));

/** Text of many lines that may be empty; one that is blank becomes null. */
export const optionalText = (limit: number) =>
  z
    .nullable(
      z.string().check(
        consistsOf(isText, limit, () => false),
        maxLength(limit),
      ),
    )
    .transform((value) => (value && !isBlank(value) ? value : null));

/** An absolute http(s) URL, as it is parsed; "" becomes null. */
export const optionalUrl = (limit: number) =>
  z
    .nullable(z.string().check(maxLength(limit), refine(isHttpUrl, UserErrorCode.INVALID, 'is invalid')))
    .transform((value) => (value ? serializeHttpUrl(value) : null))
    .pipe(z.nullable(z.string().check(maxLength(limit))));

const isHttpUrl = (value: string) => value === '' || serializeHttpUrl(value) !== null;

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

const nfc = (limit: number) =>
  z
    .string()
    .transform((typed) => toNfc(typed, limit))
    .pipe(z.string());

const notBlank = (isEmpty = isBlank) => refine((value) => !isEmpty(value), UserErrorCode.BLANK, "can't be blank");

/** Nothing to say of a blank text, which is BLANK, and of one with more code units than the limit allows, which is TOO_LONG. */
const consistsOf = (isValid: (value: string) => boolean, limit: number, isEmpty = isBlank) =>
  refine(
    (value) => value.length > 2 * limit || isEmpty(value) || (isStorable(value) && isValid(value)),
    UserErrorCode.INVALID,
    'is invalid',
  );

/** An issue without a code is a null where a string is required: GraphQL has checked the other types. */
function validationError({ path, message, ...issue }: z.core.$ZodIssue): ValidationError {
  const { code, limit } = ('params' in issue ? issue.params : {}) as { code?: UserErrorCode; limit?: number };
  const inputPath = ['input', ...path.map(String)];
  return code
    ? new ValidationError(code, message, inputPath, limit)
    : new ValidationError(UserErrorCode.BLANK, "can't be blank", inputPath);
}
