import type { EntityClass } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import {
  defaultFieldResolver,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import { sql } from 'kysely';
import { globalId } from '../server/node.ts';
import { pageInfoOf, pageOf } from './connection.ts';
import { writeCursor } from './page.ts';
import { type AnyEntity, type Asked, one, type Reading } from './reading.ts';
import { type ReadConnection, type ReadRow, statementFor } from './statement.ts';

/**
 * Lets a schema answer by statements: a query field, or an entity in a mutation's payload, runs one; what is below it is
 * taken from the answer. Says at start which field of a read type is neither a column nor a `@ReadField`.
 */
export function answerByStatements(schema: GraphQLSchema, em: EntityManager): void {
  const entities = new Map<string, AnyEntity>();
  for (const { className, class: entity } of em.getMetadata().getAll().values()) {
    entities.set(className, entity as AnyEntity);
  }
  const entityOf = (type: GraphQLObjectType) =>
    (type.extensions.readsFrom as AnyEntity | undefined) ?? entities.get(type.name);

  for (const type of Object.values(schema.getTypeMap())) {
    if (isInterfaceType(type) && type.name === 'Node') type.resolveType = (source) => source.$type;
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const entity = entityOf(type);
    const isConnection = type.getInterfaces().some(({ name }) => name === 'Connection');
    for (const field of Object.values(type.getFields())) {
      const named = getNamedType(field.type);
      const fieldEntity = isObjectType(named) ? entityOf(named) : undefined;
      if (type === schema.getQueryType()) field.resolve = answered(field.resolve ?? defaultFieldResolver);
      else if (isConnection) field.resolve = inConnection[field.name] ?? fromAnswer;
      else if (type.name.endsWith('Edge')) field.resolve = field.name === 'cursor' ? cursor : fromAnswer;
      else if (entity) {
        refuseUnread(type, field.name, field.extensions.reads, em, entity);
        field.resolve = field.name === 'id' ? idFromAnswer : fromAnswer;
      } else if (fieldEntity && type !== schema.getMutationType()) field.resolve = readAgain(fieldEntity);
    }
  }
}

interface Asking extends Asked {
  readonly em: EntityManager;
}

type Resolve<S = Record<string, never>> = GraphQLFieldResolver<S, Asking, Record<string, unknown>, unknown>;

/** Runs the reading that a resolver answers with. */
const answered =
  (resolve: Resolve): Resolve =>
  async (source, args, context, info) => {
    const reading = (await resolve(source, args, context, info)) as Reading | null;
    return reading === null ? null : run(reading, context, info);
  };

/** What a mutation has written is read by the same statements as everything else, so that its answer is fresh. */
const readAgain =
  (entity: EntityClass<{ id: number }>): Resolve =>
  (source, _args, context, info) => {
    const row = source[info.fieldName] as { id: number } | undefined;
    return row ? run(one(entity, { id: row.id }), context, info) : null;
  };

async function run(reading: Reading, { em, viewer }: Asking, info: GraphQLResolveInfo): Promise<unknown> {
  const statement = statementFor(reading, info, em.getMetadata(), viewer);
  const { rows } = await sql<{ answer: unknown }>`select ${statement} as answer`.execute(em.getKysely());
  return rows[0]?.answer;
}

const fromAnswer: Resolve = (source, _args, _context, info) => source[info.path.key];

const idFromAnswer: Resolve = (source, _args, _context, info) =>
  globalId(info.parentType.name, source[info.path.key] as never);

const inConnection: Record<string, Resolve<ReadConnection>> = {
  nodes: (source, _args, _context, info) => pageOf(source).map((row) => row[info.path.key]),
  edges: (source, _args, _context, info) =>
    pageOf(source).map((row) => ({ ...row[info.path.key], $cursor: row.$cursor })),
  pageInfo: pageInfoOf,
  totalCount: ({ $total }) => $total,
};

const cursor: Resolve<Pick<ReadRow, '$cursor'>> = ({ $cursor }) => writeCursor($cursor);

function refuseUnread(type: GraphQLObjectType, field: string, reads: unknown, em: EntityManager, entity: AnyEntity) {
  const column = em.getMetadata().get(entity).properties[field as never] as { fieldNames?: string[] } | undefined;
  if (!reads && !column?.fieldNames?.length) {
    throw new Error(`${type.name}.${field} is neither a column of ${entity.name} nor a @ReadField.`);
  }
}
