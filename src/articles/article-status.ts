import { registerEnumType } from 'type-graphql';

export enum ArticleStatus {
  DRAFT = 'DRAFT',
  PUBLISHED = 'PUBLISHED',
}

registerEnumType(ArticleStatus, {
  name: 'ArticleStatus',
  description: 'Who sees an article.',
  valuesConfig: {
    DRAFT: { description: 'Only its author.' },
    PUBLISHED: { description: 'Everyone.' },
  },
});

/** The statuses as SQL, for conditions that PostgreSQL must know when it plans a statement or checks a row. */
export const STATUS_SQL = { DRAFT: `'${ArticleStatus.DRAFT}'`, PUBLISHED: `'${ArticleStatus.PUBLISHED}'` } as const;
