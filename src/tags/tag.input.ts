import { ArgsType, Field, InputType, registerEnumType } from 'type-graphql';
import { OrderDirection, PageArgs } from '../reading/page-args.ts';

export enum TagOrderField {
  ARTICLES_COUNT = 'ARTICLES_COUNT',
  NAME = 'NAME',
}

registerEnumType(TagOrderField, {
  name: 'TagOrderField',
  description: 'What tags are ordered by. Ties are broken by id, so that paging loses none.',
  valuesConfig: {
    ARTICLES_COUNT: { description: 'How many articles carry it.' },
    NAME: { description: 'Its name, by letters: case and accents only decide between equal letters.' },
  },
});

@InputType({ description: 'An order of tags.' })
export class TagOrder {
  @Field(() => TagOrderField, { description: 'What to order by.' })
  field!: TagOrderField;

  @Field(() => OrderDirection, { defaultValue: OrderDirection.DESC, description: 'Which end comes first.' })
  direction!: OrderDirection;
}

@ArgsType()
export class TagListArgs extends PageArgs {
  @Field(() => String, { nullable: true, description: 'Only tags that start with this, ignoring case.' })
  prefix?: string | null;

  @Field(() => TagOrder, { nullable: true, description: 'Most used first unless given.' })
  orderBy?: TagOrder | null;
}
