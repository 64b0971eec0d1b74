import { Extensions, Field, Int, InterfaceType, ObjectType } from 'type-graphql';

@ObjectType({ description: 'Where a page stands in its list (Relay).' })
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether there is more after this page.' })
  readonly hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'Whether there is more before this page.' })
  readonly hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first item; null on an empty page.' })
  readonly startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last item; null on an empty page.' })
  readonly endCursor!: string | null;
}

@InterfaceType({ description: 'Common shape of all connections, so generic UI code can page anything.' })
export abstract class Connection {
  @Field(() => PageInfo, { description: 'Where this page stands in the list.' })
  readonly pageInfo!: PageInfo;

  @Field(() => Int, {
    description: 'Number of items matching the filter, ignoring paging. Computed only when selected.',
  })
  readonly totalCount!: number;
}

@ObjectType({ description: 'Where the text of a search was found.' })
export class TextMatch {
  @Field(() => String, { description: 'Of which field it is a part.' })
  readonly field!: string;

  @Field(() => String, {
    description:
      'A part of the plain text as HTML: escaped, with `<mark>` around what was found, and `…` where it was cut.',
  })
  readonly fragment!: string;
}

/**
 * The connection type of a noun, with its edge type: `ArticleConnection` and `ArticleEdge` for `Article`. Edges of lists that are
 * searched have text matches. `word` stands for a node in the descriptions.
 */
export function connectionOf(
  noun: string,
  node: () => object,
  { isSearched = false, word = noun.toLowerCase() } = {},
): new () => Connection {
  @ObjectType(`${noun}Edge`, { description: `One of the ${word}s in a list.` })
  class Edge {
    @Field(() => String, { description: `Where the ${word} stands in the list, for \`after\` and \`before\`.` })
    readonly cursor!: string;

    @Field(node as () => new () => object, { description: `The ${word}.` })
    readonly node!: object;
  }
  if (isSearched) {
    const description = `Where the text of the search was found; empty in a list without a search.`;
    Extensions({ cost: TEXT_MATCHES_COST, maxItems: MOST_MATCHES })(Edge.prototype, 'textMatches');
    Field(() => [TextMatch], { description })(Edge.prototype, 'textMatches');
  }

  @ObjectType(`${noun}Connection`, { implements: Connection, description: `A page of ${word}s.` })
  class Page extends Connection {
    @Field(() => [Edge], { description: `The ${word}s of this page, with their cursors.` })
    readonly edges!: Edge[];

    @Field((() => [node()]) as () => [new () => object], { description: `The ${word}s of this page.` })
    readonly nodes!: object[];
  }
  return Page;
}

/** To find the fragments of an item takes as long as reading some ten fields. */
const TEXT_MATCHES_COST = 10;

/** A part of each text of an article. */
const MOST_MATCHES = 4;
