import { Field, ID, InterfaceType } from 'type-graphql';

@InterfaceType({
  description: 'An object with a globally unique, opaque, stable id (Relay Global Object Identification).',
})
export abstract class Node {
  @Field(() => ID, { description: 'Globally unique, opaque and stable. `node(id:)` finds the object by it.' })
  readonly id!: number;
}

/** A Relay global id: the type and the row id. */
export const globalId = (type: string, id: number): string => Buffer.from(`${type}:${id}`).toString('base64url');

/** Null for anything that `globalId` does not produce, so that it is just not found. */
export function parseGlobalId(id: string): { type: string; id: number } | null {
  const [, type, digits] = /^([A-Z][A-Za-z]*):([1-9]\d{0,9})$/.exec(Buffer.from(id, 'base64url').toString()) ?? [];
  if (!type || Number(digits) > MAX_ID || globalId(type, Number(digits)) !== id) return null;
  return { type, id: Number(digits) };
}

/** The row id in a global id of this type, or null. */
export function localId(type: string, id: string): number | null {
  const parsed = parseGlobalId(id);
  return parsed?.type === type ? parsed.id : null;
}

const MAX_ID = 2 ** 31 - 1; // PostgreSQL's integer
