import { Extensions, Int, Resolver } from 'type-graphql';
import { CHARACTERS_PER_MINUTE, WORDS_PER_MINUTE } from '../markdown/reading-time.ts';
import { BODY_HTML, bodyHtmlSql, ExcerptArgs, excerptSql, readingTimeSql } from '../markdown/rendered-fields.ts';
import { type Columns, exists, links, list, one, type ReadContext, ReadField } from '../reading/read-plan.ts';
import { Tag } from '../tags/tag.entity.ts';
import { User } from '../users/user.entity.ts';
import { Article } from './article.entity.ts';
import { ARTICLE_LIMITS } from './article.limits.ts';
import { canDeleteArticleSql, canUpdateArticleSql } from './article.policy.ts';
import { ArticleTag } from './article-tag.entity.ts';
import { Favorite } from './favorite.entity.ts';

/** Computed fields of an article. */
@Resolver(() => Article)
export class ArticleFields {
  @ReadField(() => User, { description: 'Who wrote it.' })
  author(article: Columns<Article>) {
    return one(User, { id: article.author });
  }

  @ReadField(() => [Tag], { description: "In the author's order." })
  tags(article: Columns<Article>) {
    return list(Tag, tagsOf(article));
  }

  @ReadField(() => [String], { description: "Names of `tags`, in the author's order." })
  tagList(article: Columns<Article>) {
    return list(Tag, { ...tagsOf(article), of: (tag) => tag.name });
  }

  @Extensions({ maxCharacters: ARTICLE_LIMITS.body })
  @ReadField(() => String, { description: BODY_HTML })
  bodyHtml(article: Columns<Article>) {
    return bodyHtmlSql(article);
  }

  @ReadField(() => String, {
    args: () => ExcerptArgs,
    description: 'How the text begins: without markup, headings, code, tables and footnotes, cut at the end of a word.',
  })
  excerpt(article: Columns<Article>, { args: { length } }: ReadContext<ExcerptArgs>) {
    return excerptSql(article, length);
  }

  @ReadField(() => Int, {
    description: `Whole minutes, at least one: ${WORDS_PER_MINUTE} words a minute, or ${CHARACTERS_PER_MINUTE} characters of Chinese and Japanese.`,
  })
  readingTimeMinutes(article: Columns<Article>) {
    return readingTimeSql(article);
  }

  @ReadField(() => Boolean, { description: 'Whether the signed-in user has favourited it; false when signed out.' })
  viewerHasFavorited(article: Columns<Article>, { viewer }: ReadContext) {
    return viewer !== null && exists(Favorite, { user: viewer.id, article: article.id });
  }

  @ReadField(() => Boolean, { description: 'Whether the signed-in user may change it; false when signed out.' })
  viewerCanUpdate(article: Columns<Article>, { viewer }: ReadContext) {
    return viewer !== null && canUpdateArticleSql(viewer, article);
  }

  @ReadField(() => Boolean, { description: 'Whether the signed-in user may delete it; false when signed out.' })
  viewerCanDelete(article: Columns<Article>, { viewer }: ReadContext) {
    return viewer !== null && canDeleteArticleSql(viewer, article);
  }
}

const tagsOf = (article: Columns<Article>) => ({
  through: links(ArticleTag, { article: article.id }, 'tag'),
  orderBy: (carried: Columns<ArticleTag>) => carried.position,
});
