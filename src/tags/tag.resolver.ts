import { Arg, Args, Extensions, Query, Resolver } from 'type-graphql';
import { COLLATION } from '../database/collation.ts';
import { isStorable } from '../database/storable.ts';
import type { Order } from '../reading/page-args.ts';
import { one, page, type ReadPlan } from '../reading/read-plan.ts';
import { SCAN_COST } from '../reading/scan-cost.ts';
import { sql } from '../reading/sql.ts';
import { nameKey } from '../text/fold-case.ts';
import { TagConnection } from './tag.connection.ts';
import { Tag } from './tag.entity.ts';
import { TagListArgs, type TagOrder } from './tag.input.ts';
import { tagName } from './tag.repository.ts';

@Resolver()
export class TagResolver {
  @Query(() => Tag, {
    nullable: true,
    description: 'Null when no published article and no draft of the viewer carries it.',
  })
  tag(
    @Arg('name', () => String, { description: 'Its name, as it is written; an accent may be spelled either way.' })
    name: string,
  ): ReadPlan {
    return one(Tag, { name: tagName(name) });
  }

  @Extensions({ scanCost: SCAN_COST.table })
  @Query(() => TagConnection, { description: 'Tags that published articles carry.' })
  tags(@Args(() => TagListArgs) args: TagListArgs): ReadPlan {
    const { prefix } = args;
    const key = nameKey(prefix ?? '');
    return page(Tag, {
      where: (tag) => [!prefix || (isStorable(prefix) && key !== '' && sql`starts_with(${tag.nameKey}, ${key})`)],
      order: tagOrder(args.orderBy),
      args,
    });
  }
}

const tagOrder = (orderBy?: TagOrder | null): Order<Tag> =>
  orderBy?.field === 'NAME'
    ? { name: 'NAME', direction: orderBy.direction, by: 'name', collation: COLLATION }
    : { name: 'ARTICLES_COUNT', direction: orderBy?.direction ?? 'DESC', by: 'articlesCount' };
