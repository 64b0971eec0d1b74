import type { EntityClass } from '@mikro-orm/core';
import { Arg, getMetadataStorage, ID, Query, Resolver } from 'type-graphql';
import { BadUserInput } from '../../graphql/errors.ts';
import { Node, parseGlobalId } from '../../graphql/node.ts';
import { MAX_PAGE_SIZE } from '../../reading/page-args.ts';
import { each, one, type ReadPlan } from '../../reading/read-plan.ts';

@Resolver()
export class NodeResolver {
  @Query(() => Node, { nullable: true, description: 'Null when there is none of that id.' })
  node(@Arg('id', () => ID, { description: 'Of any object that has one.' }) id: string): ReadPlan | null {
    return nodeOf(id);
  }

  @Query(() => [Node], {
    nullable: 'items',
    description: 'In the order of the ids; null for an id of none. At most 100.',
  })
  nodes(@Arg('ids', () => [ID], { description: 'Of any objects that have one.' }) ids: string[]): ReadPlan {
    if (ids.length > MAX_PAGE_SIZE) {
      throw new BadUserInput(`nodes(ids:) has ${ids.length} items; it must have at most ${MAX_PAGE_SIZE}.`);
    }
    return each(ids.map(nodeOf));
  }
}

function nodeOf(globalId: string): ReadPlan | null {
  const { type, id } = parseGlobalId(globalId) ?? {};
  const entity = type && nodeEntity(type);
  return entity ? one(entity, { id: id ?? 0 }) : null;
}

/** The entity class of a type that implements Node. TypeGraphQL knows them all, so a new one needs no entry here. */
const nodeEntity = (type: string) =>
  getMetadataStorage().objectTypes.find(
    ({ name, interfaceClasses }) => name === type && interfaceClasses?.includes(Node),
  )?.target as EntityClass<{ id: number }> | undefined;
