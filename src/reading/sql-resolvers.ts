import type { EntityClass, MetadataStorage } from '@mikro-orm/core';
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
import { statementFor } from './compile.ts';
import { RawJson } from './raw-json.ts';
import type { ReadBatch } from './read-batch.ts';
import { type AnyEntityClass, one, type ReadContext, type ReadPlan } from './read-plan.ts';

/**
 * Lets a schema answer by statements: a query field, or an entity in a mutation's payload, runs one; what is below it is
 * taken from the answer. Says at start which field of a read type is neither a column nor a `@ReadField`.
 */
export function attachSqlResolvers(schema: GraphQLSchema, em: EntityManager): void {
  const run = runner(schema, em.getMetadata());
  const entities = new Map<string, AnyEntityClass>();
  for (const { className, class: entity } of em.getMetadata().getAll().values()) {
    entities.set(className, entity as AnyEntityClass);
  }
  const entityOf = (type: GraphQLObjectType) =>
    (type.extensions.readsFrom as AnyEntityClass | undefined) ?? entities.get(type.name);

  for (const type of Object.values(schema.getTypeMap())) {
    if (isInterfaceType(type) && type.name === 'Node') type.resolveType = (source) => source.$type;
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const entity = entityOf(type);
    for (const field of Object.values(type.getFields())) {
      const named = getNamedType(field.type);
      const fieldEntity = isObjectType(named) ? entityOf(named) : undefined;
      if (type === schema.getQueryType()) field.resolve = answered(field.resolve ?? defaultFieldResolver, run);
      else if (entity || /(Connection|Edge|PageInfo)$/.test(type.name)) {
        if (entity) refuseUnread(type, field.name, field.extensions.madeOf, em, entity);
        field.resolve = fromAnswer;
      } else if (fieldEntity && type !== schema.getMutationType()) field.resolve = readAgain(fieldEntity, run);
    }
  }
}

interface Asking extends ReadContext {
  readonly reads: ReadBatch;
}

type Resolve<S = Record<string, never>> = GraphQLFieldResolver<S, Asking, Record<string, unknown>, unknown>;
type Run = (reading: ReadPlan, asking: Asking, info: GraphQLResolveInfo) => Promise<unknown>;

/** Runs the reading that a resolver answers with. */
const answered =
  (resolve: Resolve, run: Run): Resolve =>
  async (source, args, context, info) => {
    const reading = (await resolve(source, args, context, info)) as ReadPlan | null;
    return reading === null ? null : run(reading, context, info);
  };

/** What a mutation has written is read by the same statements as everything else, so that its answer is fresh. */
const readAgain =
  (entity: EntityClass<{ id: number }>, run: Run): Resolve =>
  (source, _args, context, info) => {
    const row = source[info.fieldName] as { id: number } | undefined;
    return row ? run(one(entity, { id: row.id }), context, info) : null;
  };

const fromAnswer: Resolve = (source, _args, _context, info) => source[info.path.key];

/** GraphQL completes what it is given as objects; where it executes `withoutCompletion`, the answer stays text. */
const runner =
  (schema: GraphQLSchema, tables: MetadataStorage): Run =>
  async (reading, { viewer, reads }, info) => {
    const completes = info.schema === schema;
    const type = completes ? info.returnType : schema.getQueryType()?.getFields()[info.fieldName]?.type;
    const value = statementFor(reading, info, { viewer, schema, tables, type: type as never, typed: completes });
    const text = await reads.value(value);
    return completes || text === null ? JSON.parse(text ?? 'null') : new RawJson(text);
  };

function refuseUnread(
  type: GraphQLObjectType,
  field: string,
  madeOf: unknown,
  em: EntityManager,
  entity: AnyEntityClass,
) {
  const column = em.getMetadata().get(entity).properties[field as never] as { fieldNames?: string[] } | undefined;
  if (!madeOf && !column?.fieldNames?.length) {
    throw new Error(`${type.name}.${field} is neither a column of ${entity.name} nor a @ReadField.`);
  }
}
