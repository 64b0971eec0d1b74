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
  isUnionType,
} from 'graphql';
import type { Statement } from '../database/batch/statement-pipeline.ts';
import { NotFoundError, ResourceKind } from '../graphql/user-errors.ts';
import { compile } from './compile/compile.ts';
import { fieldsOf } from './compile/selection.ts';
import { RawJson } from './raw-json.ts';
import type { ReadBatch } from './read-batch.ts';
import { type AnyEntityClass, one, type ReadContext, type ReadPlan } from './read-plan.ts';
import type { Sql } from './sql.ts';

/**
 * Makes the schema read with SQL: a query field, or an entity in a mutation's payload, runs one expression, and the fields
 * below take their values from its JSON. Throws when a field of an entity is neither a column nor a `@ReadField`.
 */
export function attachSqlResolvers(schema: GraphQLSchema, em: EntityManager): void {
  const run = createRunner(schema, em.getMetadata());
  const entities = new Map<string, AnyEntityClass>();
  for (const { className, class: entity } of em.getMetadata().getAll().values()) {
    entities.set(className, entity as AnyEntityClass);
  }
  const entityOf = (type: GraphQLObjectType) =>
    (type.extensions.readsFrom as AnyEntityClass | undefined) ?? entities.get(type.name);

  for (const type of Object.values(schema.getTypeMap())) {
    if (isUnionType(type) || (isInterfaceType(type) && type.name === 'Node')) {
      type.resolveType = (source) => source.$type;
    }
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const entity = entityOf(type);
    for (const field of Object.values(type.getFields())) {
      const named = getNamedType(field.type);
      const fieldEntity = isObjectType(named) ? entityOf(named) : undefined;
      if (type === schema.getQueryType()) field.resolve = planResolver(field.resolve ?? defaultFieldResolver, run);
      else if (entity || /(Connection|Edge|PageInfo|TextMatch)$/.test(type.name)) {
        if (entity) assertReadable(type, field.name, field.extensions.readPlan, em, entity);
        field.resolve = jsonPropertyResolver;
      } else if (fieldEntity && type !== schema.getMutationType()) field.resolve = entityResolver(fieldEntity, run);
      else if (field.name === 'errors') field.resolve = errorsResolver;
    }
  }
}

interface ResolverContext extends Pick<ReadContext, 'viewer'> {
  readonly reads: ReadBatch;
}

type Resolve<S = Record<string, never>> = GraphQLFieldResolver<S, ResolverContext, Record<string, unknown>, unknown>;
type Run = (plan: ReadPlan, context: ResolverContext, info: GraphQLResolveInfo) => Promise<unknown>;

/** Runs the plan that a resolver returns. */
const planResolver =
  (resolve: Resolve, run: Run): Resolve =>
  async (source, args, context, info) => {
    const plan = (await resolve(source, args, context, info)) as ReadPlan | null;
    return plan === null ? null : run(plan, context, info);
  };

type Payload = Record<string, { id: number } | undefined> & {
  errors?: readonly unknown[];
  [READ]?: Map<string, Promise<string | null>>;
};

/** The entities of a payload that were read already, by response name. */
const READ = Symbol('read');

/** Sends the writes of a mutation, and reads the entities that its payload is asked for in the same message and transaction. */
export type WriteAndRead = <P extends object>(
  payload: P,
  writes: readonly Statement[],
  context: ResolverContext,
  info: GraphQLResolveInfo,
) => Promise<P>;

export const createWriteAndRead =
  (em: EntityManager): WriteAndRead =>
  async (payload, writes, { viewer, reads }, info) => {
    const { schema } = info;
    const expressions = new Map<string, Sql>();
    for (const [key, nodes, field] of fieldsOf(schema, info)(info.returnType, info.fieldNodes)) {
      const row = field && (payload as Payload)[field.name];
      if (!field || !row || typeof row !== 'object' || !em.getMetadata().has(row.constructor)) continue;
      const options = { viewer, schema, tables: em.getMetadata(), type: field.type, typed: true };
      const plan = one(row.constructor as EntityClass<{ id: number }>, { id: row.id });
      expressions.set(key, compile(plan, { ...info, fieldNodes: nodes }, options));
    }
    const values = await reads.valuesAfter(writes, [...expressions.values()]);
    return { ...payload, [READ]: new Map([...expressions.keys()].map((key, index) => [key, values[index]])) };
  };

/** Reads an entity that a mutation has written from the database again, so that its payload is fresh. */
const entityResolver =
  (entity: EntityClass<{ id: number }>, run: Run): Resolve<Payload> =>
  (source, _args, context, info) => {
    const row = source[info.fieldName];
    if (!row) return null;
    const known = source[READ]?.get(String(info.path.key));
    const read = known
      ? known.then((text) => JSON.parse(text ?? 'null'))
      : run(one(entity, { id: row.id }), context, info);
    entityReads.set(source, [...(entityReads.get(source) ?? []), { entity, read }]);
    return read;
  };

/**
 * The errors of a mutation. If its payload has only entities, one that was deleted or hidden in the meantime adds a NotFoundError:
 * otherwise the response would have neither a result nor an error.
 */
const errorsResolver: Resolve<Payload> = async (source) => {
  await Promise.resolve(); // by then the fields beside this one are being read
  const entities = entityReads.get(source) ?? [];
  if (Object.values(source).some((value) => value != null && typeof value !== 'object')) return source.errors;
  const values = await Promise.allSettled(entities.map(({ read }) => read));
  const gone = entities.filter((_, index) => isNull(values[index]));
  const kinds = new Set(gone.map(({ entity }) => ResourceKind[entity.name.toUpperCase() as ResourceKind]));
  return [...(source.errors ?? []), ...[...kinds].map((kind) => new NotFoundError(kind))];
};

const entityReads = new WeakMap<Payload, { entity: EntityClass<unknown>; read: Promise<unknown> }[]>();
const isNull = (result?: PromiseSettledResult<unknown>) => result?.status === 'fulfilled' && result.value === null;

const jsonPropertyResolver: Resolve = (source, _args, _context, info) => source[info.path.key];

/** Parses the JSON for GraphQL to complete. With a schema from `withoutCompletion`, the JSON stays text. */
const createRunner =
  (schema: GraphQLSchema, tables: MetadataStorage): Run =>
  async (plan, { viewer, reads }, info) => {
    const completes = info.schema === schema;
    const type = completes ? info.returnType : schema.getQueryType()?.getFields()[info.fieldName]?.type;
    const expression = compile(plan, info, { viewer, schema, tables, type: type as never, typed: completes });
    const text = await reads.value(expression);
    return completes || text === null ? JSON.parse(text ?? 'null') : new RawJson(text);
  };

function assertReadable(
  type: GraphQLObjectType,
  field: string,
  readPlan: unknown,
  em: EntityManager,
  entity: AnyEntityClass,
) {
  const column = em.getMetadata().get(entity).properties[field as never] as { fieldNames?: string[] } | undefined;
  if (!readPlan && !column?.fieldNames?.length) {
    throw new Error(`${type.name}.${field} is neither a column of ${entity.name} nor a @ReadField.`);
  }
}
