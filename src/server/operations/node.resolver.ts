import type { EntityClass } from '@mikro-orm/core';
import { Arg, ID, Query, Resolver } from 'type-graphql';
import { Article } from '../../articles/article.entity.ts';
import { Comment } from '../../comments/comment.entity.ts';
import { BadUserInput } from '../../graphql/errors.ts';
import { Node, parseGlobalId } from '../../graphql/node.ts';
import { MAX_PAGE_SIZE } from '../../reading/page-args.ts';
import { each, one, type ReadPlan } from '../../reading/read-plan.ts';
import { Tag } from '../../tags/tag.entity.ts';
import { User } from '../../users/user.entity.ts';

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
  const entity = nodes.get(type ?? '');
  return entity ? one(entity, { id: id ?? 0 }) : null;
}

const nodes: ReadonlyMap<string, EntityClass<{ id: number }>> = new Map(
  [Article, Comment, Tag, User].map((entity) => [entity.name, entity]),
);
