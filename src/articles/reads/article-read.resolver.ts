import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { Context } from '../../auth/context.ts';
import { ArticleInput } from '../article.input.ts';
import { ArticlePayload } from '../article.payload.ts';
import { articleReference } from '../article.repository.ts';
import { READ_WINDOW_MINUTES } from './write-reads.ts';

@Resolver()
export class ArticleReadResolver {
  @Mutation(() => ArticlePayload, {
    nullable: true,
    description: `Counts that somebody reads an article: at most once in ${READ_WINDOW_MINUTES} minutes for each user, or client when signed out, and not for clients that say they are programs, such as crawlers. \`readCount\` follows within seconds. Drafts are not counted.`,
  })
  async recordArticleRead(
    @Arg('input', () => ArticleInput, { description: 'Which one.' }) input: ArticleInput,
    @Ctx() context: Context,
  ): Promise<ArticlePayload> {
    const article = await articleReference(context, input.article);
    await context.readCounter.count(article.id, context);
    return { article };
  }
}
