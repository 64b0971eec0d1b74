import type { FastifyRequest } from 'fastify';
import { serializeHttpUrl } from '../../graphql/http-url.ts';
import { RestError, restError } from './rest-error.ts';

/** A call of the REST API: what its path, its query and its body give. Everything unknown in them is ignored. */
export class Call {
  constructor(private readonly request: FastifyRequest) {}

  /** The token of the request, which answers repeat. */
  get token(): string {
    return this.request.headers.authorization?.trim().split(/\s+/)[1] ?? '';
  }

  /** A parameter of the path. */
  pathParameter(name: string): string {
    return (this.request.params as Record<string, string>)[name] ?? '';
  }

  /** A parameter of the query string, the first of several. Undefined if it is absent or empty. */
  queryParameter(name: string): string | undefined {
    const [value] = [(this.request.query as Record<string, string | string[]>)[name] ?? []].flat();
    return value || undefined;
  }

  /** A whole number from the query string. One beyond GraphQL's Int becomes the largest Int, which the operation refuses. */
  integer(name: string): number | undefined {
    const value = this.queryParameter(name);
    if (value === undefined) return undefined;
    if (!/^[-+]?\d+$/.test(value)) throw restError(422, name, 'must be a whole number');
    return Math.max(Math.min(Number(value), MAX_INT), -MAX_INT);
  }

  /**
   * The given fields of the object that the body has under `key`. An absent field stays absent, and null stays null. Throws a
   * 422 that names every field of another type.
   */
  fields(key: string, types: Readonly<Record<string, FieldType>>): Record<string, unknown> {
    const body = this.request.body as Record<string, unknown> | null | undefined;
    const object = isObject(body) && isObject(body[key]) ? body[key] : {};
    const given = Object.entries(types).filter(([name]) => Object.hasOwn(object, name));
    const wrong = given.filter(([name, isOfType]) => object[name] !== null && !isOfType(object[name]));
    if (wrong.length > 0) throw new RestError(422, Object.fromEntries(wrong.map(([name]) => [name, ['is invalid']])));
    return Object.fromEntries(given.map(([name]) => [name, object[name]]));
  }
}

/** Whether a value has the type of a field. */
export type FieldType = (value: unknown) => boolean;

export const isText: FieldType = (value) => typeof value === 'string';
export const isTexts: FieldType = (value) => Array.isArray(value) && value.every(isText);

/** The fields, with "" for each of these that is absent or null: GraphQL's rules then say that it can't be blank. */
export function withBlanks(fields: Record<string, unknown>, ...names: string[]): Record<string, unknown> {
  return { ...fields, ...Object.fromEntries(names.map((name) => [name, fields[name] ?? ''])) };
}

/** The fields, with null for an image that is no http(s) address: frontends send what a user has typed, or a path of their own. */
export function withUsableImage({ image, ...fields }: Record<string, unknown>): Record<string, unknown> {
  if (image === undefined) return fields;
  return { ...fields, image: typeof image === 'string' ? serializeHttpUrl(image) && image : image };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** GraphQL's Int has 32 bits. */
export const MAX_INT = 2 ** 31 - 1;
