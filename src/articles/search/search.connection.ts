import { createUnionType, registerEnumType } from 'type-graphql';
import { connectionOf } from '../../reading/connection.ts';
import { Tag } from '../../tags/tag.entity.ts';
import { User } from '../../users/user.entity.ts';
import { Article } from '../article.entity.ts';

export enum SearchKind {
  ARTICLE = 'ARTICLE',
  USER = 'USER',
  TAG = 'TAG',
}

registerEnumType(SearchKind, {
  name: 'SearchKind',
  description: 'What a search looks for.',
  valuesConfig: {
    ARTICLE: { description: 'Published articles, by the words of their title, description, tags and body.' },
    USER: { description: 'Users, by their name.' },
    TAG: { description: 'Tags that published articles carry, by their name.' },
  },
});

const SearchResult = createUnionType({
  name: 'SearchResult',
  description: 'What a search finds.',
  types: () => [Article, User, Tag] as const,
});

export const SearchConnection = connectionOf('Search', () => SearchResult as unknown as object, {
  isSearched: true,
  word: 'result',
});
