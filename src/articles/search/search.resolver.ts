import { Arg, Args, Extensions, Query, Resolver } from 'type-graphql';
import { nameHits, nameTextMatch, SCORES } from '../../reading/lists/name-search.ts';
import { PageArgs } from '../../reading/page-args.ts';
import { type ReadPlan, rankedMember, scoredMember, type UnionMember, union } from '../../reading/read-plan.ts';
import { SCAN_COST } from '../../reading/scan-cost.ts';
import { Tag } from '../../tags/tag.entity.ts';
import { User } from '../../users/user.entity.ts';
import { Article } from '../article.entity.ts';
import { articleTextMatches, isBlankQuery, matches, relevance } from './article-matches.ts';
import { SearchConnection, SearchKind } from './search.connection.ts';
import { SEARCH_LIMITS } from './search-query.ts';

/** Two ranges of indexes are read: one of users, one of tags. */
const NAMES_COST = 2 * SCAN_COST.rowsOfRange;

@Resolver()
export class SearchResolver {
  @Extensions({ cost: NAMES_COST, scanCost: SCAN_COST.table })
  @Query(() => SearchConnection, {
    description:
      'Articles, users and tags. First the names that equal the query or begin with it, then articles by relevance, then names that contain it or are spelled like it.',
  })
  search(
    @Arg('query', () => String, {
      description: `For articles as in ArticleFilter. A name is compared with the whole query, ignoring case and accents. A blank query finds nothing. Only the first ${SEARCH_LIMITS.characters} characters count.`,
    })
    query: string,
    @Arg('kinds', () => [SearchKind], { nullable: true, description: 'What to look for. Everything unless given.' })
    kinds: SearchKind[] | null,
    @Args(() => PageArgs) args: PageArgs,
  ): ReadPlan {
    const wanted = isBlankQuery(query) ? [] : new Set(kinds ?? Object.values(SearchKind));
    const typed = query.slice(0, SEARCH_LIMITS.characters);
    return union(
      [...wanted].map((kind) => MEMBERS[kind](typed)),
      args,
    );
  }
}

/** Of equal scores, users come first, then tags. */
const MEMBERS: Record<SearchKind, (query: string) => UnionMember> = {
  ARTICLE: (query) =>
    rankedMember(Article, 0, {
      through: [matches(query)],
      order: relevance(query, 'DESC'),
      shift: SCORES.articles,
      textMatches: articleTextMatches(query),
    }),
  TAG: (query) =>
    scoredMember(Tag, 1, {
      hits: (tag) => nameHits(tag.nameKey, query),
      textMatches: (tag) => ({ name: nameTextMatch(tag.name, tag.nameKey, query) }),
    }),
  USER: (query) =>
    scoredMember(User, 2, {
      hits: (user) => nameHits(user.usernameKey, query),
      textMatches: (user) => ({ username: nameTextMatch(user.username, user.usernameKey, query) }),
    }),
};
