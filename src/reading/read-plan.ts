import type { EntityClass } from '@mikro-orm/core';
import { Args, Extensions, FieldResolver } from 'type-graphql';
import type { Order, PageArgs } from './page-args.ts';
import { type Sql, sql } from './sql.ts';

/**
 * Functions that describe what a field reads: `one(User, { id: article.author })`. A plan fetches nothing itself;
 * compile.ts turns it, with everything selected below it, into one SQL expression.
 */

/** The row that matches the condition, or null. */
export const one = <E>(entity: EntityClass<E>, where: Where<E>): ReadPlan =>
  ({ kind: 'one', entity, where }) as ReadPlan;

/** Every linked row, in the order of the links. `of` selects one value of each row instead of an object. For short lists. */
export const list = <E, L>(entity: EntityClass<E>, parts: ListParts<E, L>): ReadPlan =>
  ({ kind: 'list', entity, ...parts }) as unknown as ReadPlan;

/** One page of a connection. */
export const page = <E, L>(entity: EntityClass<E>, parts: PageParts<E, L>): ReadPlan =>
  ({ kind: 'page', entity, ...parts }) as unknown as ReadPlan;

/** One page of rows of several entities, those with the highest score first. */
export const union = (members: readonly UnionMember[], args: PageArgs): ReadPlan => ({ kind: 'union', members, args });

/** The rows of a list by relevance, with `shift` added to their scores. */
export const rankedMember = <E>(entity: EntityClass<E>, precedence: number, parts: RankedParts<E>): UnionMember =>
  ({ entity, precedence, ...parts }) as unknown as UnionMember;

/** The rows of the hits. No row is in two of them. */
export const scoredMember = <E>(entity: EntityClass<E>, precedence: number, parts: ScoredParts<E>): UnionMember =>
  ({ entity, precedence, ...parts }) as unknown as UnionMember;

/**
 * The rows of a join table that match the condition. A link leads to the rows whose `at` equals its `to`: the id, or a
 * column whose value several rows may share. Up to `few` of them, a list is read from its links, else in its order. `copied` names
 * columns that the link has from its row, under the same name; PostgreSQL then knows that they are equal, and can use an index on
 * them to find the link of a row.
 */
export const links = <L, E = { id: number }>(
  entity: EntityClass<L>,
  where: Where<L>,
  to: ColumnName<L>,
  at: ColumnName<E> | 'id' = 'id',
  { few, copied = [] }: { few?: number; copied?: readonly ColumnName<L>[] } = {},
): Links<L> => ({ entity, where, to, at, few, copied }) as unknown as Links<L>;

export const count = <E>(entity: EntityClass<E>, where: Where<E>): ReadPlan =>
  ({ kind: 'count', entity, where }) as ReadPlan;

/** Whether a row matches. A plan, and a condition too. */
export const exists = <E>(entity: EntityClass<E>, where: Where<E>): Exists =>
  ({ kind: 'exists', entity, where }) as Exists;

/** One column of the row that matches the condition, as a value to compare with. */
export const pick = <E>(entity: EntityClass<E>, property: ColumnName<E>, where: Where<E>): PickedColumn =>
  ({ kind: 'pick', entity, property, where }) as PickedColumn;

export const equal = (left: Sql, right: Sql | Value): Sql => sql`${left} = ${right}`;

/** A list with one plan per position; null stays null. */
export const each = (plans: readonly (ReadPlan | null)[]): ReadPlan => ({ kind: 'each', plans });

/** The columns of an entity's table as SQL: `article.title`, or `article.author` for the foreign key. */
export type Columns<E> = { readonly [P in ColumnName<E>]-?: Sql };

/** Columns that equal a value, any SQL, or a list of conditions that must all hold. `true` matches every row, `false` none. */
export type Condition<E> =
  | { readonly [P in ColumnName<E>]?: Sql | Value | PickedColumn }
  | Sql
  | Exists
  | boolean
  | readonly Condition<E>[];

/** A condition, or a function of the row's columns that returns one. */
export type Where<E> = Condition<E> | ((row: Columns<E>) => Condition<E>);

export type Value = string | number | boolean | null;

interface ListParts<E, L> {
  through: Links<L>;
  orderBy: (link: Columns<L>) => Sql;
  of?: (row: Columns<E>) => Sql;
}

interface PageParts<E, L> {
  /** Restricts the page to rows that every one of these leads to. */
  through?: Links<L> | readonly Links<unknown>[];
  where?: Where<E>;
  order: Order<E> | Order<E, NoInfer<L>>;
  args: PageArgs;
  /** Which rows the page may hold: those that are listed, unless given. */
  scope?: Scope;
  /** By the name of a field of a row, the part of it that a search has found, as HTML; null if there is none. */
  textMatches?: ((row: Columns<E>) => Readonly<Record<string, Sql>>) | undefined;
}

interface RankedParts<E> extends Pick<PageParts<E, never>, 'where' | 'order' | 'textMatches'> {
  through: readonly Links<unknown>[];
  shift: number;
}

interface ScoredParts<E> extends Pick<PageParts<E, never>, 'textMatches'> {
  hits: (row: Columns<E>) => readonly Hits[];
}

/** Rows of one entity with a score, at most so many of them. A row with a score below 0 is no hit. */
export interface Hits {
  readonly where: Sql;
  /** An integer. */
  readonly score: Sql;
  /** Which rows are taken if there are more; any unless given. */
  readonly orderBy?: Sql;
  readonly most: number;
}

/** Rows of an entity in a list of several: hits, or a list by relevance. `precedence` is that of `UnionRows`. */
export type UnionMember = { entity: AnyEntityClass; precedence: number } & (
  | ScoredParts<AnyRow>
  | (RankedParts<AnyRow> & { hits?: never })
);

/**
 * An order by how well a row matches. Only candidates are scored: rows that the page's first links or the preferred ones lead to,
 * and the newest rows of the list.
 */
export interface Ranking {
  readonly preferred: Links<unknown>;
  /** The score as an integer, from the columns of the link. */
  readonly score: (link: Columns<AnyRow>) => Sql;
  /** The property by which rows are newer. */
  readonly newestBy: string;
}

/** What compile.ts compiles. The entity types are checked where a plan is built, and dropped here. */
export type ReadPlan = One | Count | List | Page | Union | Each | Exists | Sql | boolean;

export type One = { kind: 'one'; entity: AnyEntityClass; where: AnyWhere };
export type Count = { kind: 'count'; entity: AnyEntityClass; where: AnyWhere };
export type Exists = { kind: 'exists'; entity: AnyEntityClass; where: AnyWhere };
export type PickedColumn = { kind: 'pick'; entity: AnyEntityClass; property: string; where: AnyWhere };
export type List = { kind: 'list'; entity: AnyEntityClass } & ListParts<AnyRow, AnyRow>;
export type Page = { kind: 'page'; entity: AnyEntityClass } & PageParts<AnyRow, AnyRow>;
export type Union = { kind: 'union'; members: readonly UnionMember[]; args: PageArgs };
/** The result of `links`. `L` exists for type checking only. */
export type Links<L = AnyRow> = {
  entity: AnyEntityClass;
  where: AnyWhere;
  to: string;
  at: string;
  few?: number;
  copied: readonly string[];
  _?: L;
};
export type Each = { kind: 'each'; plans: readonly (ReadPlan | null)[] };

export type AnyEntityClass = EntityClass<AnyRow>;
export type AnyWhere = Where<AnyRow>;
export type AnyRow = Record<string, Value>;
type ColumnName<E> = { [P in keyof E]: E[P] extends (...args: never) => unknown ? never : P }[keyof E] & string;

/** What requests see of an entity's table. A row that is listed is also found. */
export interface Visibility<E> {
  /** The rows that pages and counts hold. */
  readonly listed: (row: Columns<E>) => Condition<E>;
  /** The rows that are reached one by one, through an id, another key or a reference. */
  readonly found: (row: Columns<E>, viewer: ReadContext['viewer']) => Condition<E>;
}

export type Scope = keyof Visibility<AnyRow>;

/**
 * Declares which rows of an entity's table requests see. Every plan that reads the table has the rule added when it is
 * compiled, so no field can forget it. Without the decorator every row is seen.
 */
export const Visible =
  <E>(visibility: Visibility<E>) =>
  (entity: EntityClass<E>): void => {
    visibilities.set(entity, visibility as unknown as Visibility<AnyRow>);
  };

export const visibilityOf = (entity: AnyEntityClass) => visibilities.get(entity);

const visibilities = new WeakMap<object, Visibility<AnyRow>>();

/** What a field may depend on besides its row. */
export interface ReadContext<A = unknown> {
  readonly args: A;
  readonly viewer: { readonly id: number } | null;
}

/** Declares a field of an object type. The decorated method returns the plan of the field. */
export function ReadField(
  type: () => TypeValue,
  { args, ...options }: { description: string; nullable?: boolean; args?: () => new () => object },
) {
  return <M extends (row: never, context: never) => ReadPlan>(
    fields: object,
    name: string,
    method: TypedPropertyDescriptor<M>,
  ): void => {
    FieldResolver(type as Parameters<typeof FieldResolver>[0] & object, options)(fields, name, method);
    if (args) Args(args)(fields, name, 1);
    Extensions({ readPlan: method.value })(fields, name);
  };
}

/** The method of a `@ReadField`, which the schema's extensions keep as `readPlan`. */
export type ReadFieldMethod = (row: Columns<AnyRow>, context: ReadContext) => ReadPlan;

type TypeValue = object | [object];
