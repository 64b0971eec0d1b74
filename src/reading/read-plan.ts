import type { EntityClass } from '@mikro-orm/core';
import { Args, Extensions, FieldResolver } from 'type-graphql';
import type { Order, PageArgs } from './page-args.ts';
import { type Sql, sql } from './sql.ts';

/**
 * The words in which a noun says what a field is made of: `one(User, { id: article.author })`. Nothing is fetched by
 * them. statement.ts turns what they describe, with all that is nested in it, into one SQL statement.
 */

/** The row for which the condition holds; null when there is none. */
export const one = <E>(entity: EntityClass<E>, where: Where<E>): ReadPlan =>
  ({ kind: 'one', entity, where }) as ReadPlan;

/** Every row the links lead to, in their order; `of` gives one value of each instead of an object. For short lists. */
export const list = <E, L>(entity: EntityClass<E>, parts: ListParts<E, L>): ReadPlan =>
  ({ kind: 'list', entity, ...parts }) as unknown as ReadPlan;

/** One page of a connection. */
export const page = <E, L>(entity: EntityClass<E>, parts: PageParts<E, L>): ReadPlan =>
  ({ kind: 'page', entity, ...parts }) as unknown as ReadPlan;

/**
 * The rows of a table in between for which the condition holds. They lead to those whose `at` is their `to`: by id, or by
 * something of which there are many to one.
 */
export const links = <L, E = { id: number }>(
  entity: EntityClass<L>,
  where: Where<L>,
  to: Column<L>,
  at: Column<E> | 'id' = 'id',
): Through<L> => ({ entity, where, to, at }) as unknown as Through<L>;

export const count = <E>(entity: EntityClass<E>, where: Where<E>): ReadPlan =>
  ({ kind: 'count', entity, where }) as ReadPlan;

/** Whether there is such a row: a field, and a condition too. */
export const exists = <E>(entity: EntityClass<E>, where: Where<E>): Exists =>
  ({ kind: 'exists', entity, where }) as Exists;

/** One column of the row for which the condition holds, to compare others with. */
export const pick = <E>(entity: EntityClass<E>, property: Column<E>, where: Where<E>): Pick =>
  ({ kind: 'pick', entity, property, where }) as Pick;

export const equal = (left: Sql, right: Sql | Value): Sql => sql`${left} = ${right}`;

/** One reading for each place; null where there is nothing to look for. */
export const each = (readings: readonly (ReadPlan | null)[]): ReadPlan => ({ kind: 'each', readings });

/** A row of an entity's table in the statement: `article.title` is its column, `article.author` its foreign key. */
export type Columns<E> = { readonly [P in Column<E>]-?: Sql };

/** What holds of a row: columns that equal something, any SQL, or all of a list. `false` holds of none, `true` of all. */
export type Condition<E> =
  | { readonly [P in Column<E>]?: Sql | Value | Pick }
  | Sql
  | Exists
  | boolean
  | readonly Condition<E>[];

/** A condition, or how to say it once the row has a name. */
export type Where<E> = Condition<E> | ((row: Columns<E>) => Condition<E>);

export type Value = string | number | boolean | null;

interface ListParts<E, L> {
  through: Through<L>;
  orderBy: (link: Columns<L>) => Sql;
  of?: (row: Columns<E>) => Sql;
}

interface PageParts<E, L> {
  /** Only rows that each of them leads to. */
  through?: Through<L> | readonly Through<unknown>[];
  where?: Where<E>;
  order: Order<E> | Order<E, NoInfer<L>>;
  args: PageArgs;
}

/** What a word describes, for statement.ts; the types of the rows have done their work by then. */
export type ReadPlan = One | Count | List | Page | Each | Exists | Sql | boolean;

export type One = { kind: 'one'; entity: AnyEntityClass; where: AnyWhere };
export type Count = { kind: 'count'; entity: AnyEntityClass; where: AnyWhere };
export type Exists = { kind: 'exists'; entity: AnyEntityClass; where: AnyWhere };
export type Pick = { kind: 'pick'; entity: AnyEntityClass; property: string; where: AnyWhere };
export type List = { kind: 'list'; entity: AnyEntityClass } & ListParts<AnyRow, AnyRow>;
export type Page = { kind: 'page'; entity: AnyEntityClass } & PageParts<AnyRow, AnyRow>;
/** Of which rows `links` tells; L is for the types alone. */
export type Through<L = AnyRow> = { entity: AnyEntityClass; where: AnyWhere; to: string; at: string; _?: L };
export type Each = { kind: 'each'; readings: readonly (ReadPlan | null)[] };

export type AnyEntityClass = EntityClass<AnyRow>;
export type AnyWhere = Where<AnyRow>;
export type AnyRow = Record<string, Value>;
type Column<E> = { [P in keyof E]: E[P] extends (...args: never) => unknown ? never : P }[keyof E] & string;

/** What a field may depend on beside its row. */
export interface ReadContext<A = unknown> {
  readonly args: A;
  readonly viewer: { readonly id: number } | null;
}

/** Declares a field of an object type; the method under it says what the field is made of. */
export function ReadField(
  type: () => TypeValue,
  { args, ...options }: { description: string; nullable?: boolean; args?: () => new () => object },
) {
  return <M extends (row: never, asked: never) => ReadPlan>(
    fields: object,
    name: string,
    method: TypedPropertyDescriptor<M>,
  ): void => {
    FieldResolver(type as Parameters<typeof FieldResolver>[0] & object, options)(fields, name, method);
    if (args) Args(args)(fields, name, 1);
    Extensions({ madeOf: method.value })(fields, name);
  };
}

/** What `@ReadField` leaves in the schema's extensions. */
export type MadeOf = (row: Columns<AnyRow>, asked: ReadContext) => ReadPlan;

type TypeValue = object | [object];
