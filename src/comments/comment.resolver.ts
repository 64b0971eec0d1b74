import { Arg, Authorized, Ctx, Extensions, Mutation, Resolver } from 'type-graphql';
import { articleReference } from '../articles/article.repository.ts';
import type { SignedInContext } from '../auth/context.ts';
import { globalId } from '../graphql/node.ts';
import { ResourceKind, requirePermission } from '../graphql/user-errors.ts';
import { validate } from '../graphql/validation.ts';
import { renderBody } from '../markdown/markdown.ts';
import { createOnce } from '../users/create-once.ts';
import { User } from '../users/user.entity.ts';
import { Comment } from './comment.entity.ts';
import {
  AddCommentInput,
  commentRules,
  DeleteCommentInput,
  newCommentRules,
  UpdateCommentInput,
} from './comment.input.ts';
import { COMMENT_RENDERING } from './comment.limits.ts';
import { CommentPayload, DeleteCommentPayload } from './comment.payload.ts';
import { canDeleteComment, canUpdateComment } from './comment.policy.ts';
import { findComment } from './comment.repository.ts';

@Resolver()
export class CommentResolver {
  @Authorized()
  @Extensions({ recordsWrites: true })
  @Mutation(() => CommentPayload, { nullable: true, description: 'Says something about an article.' })
  async addComment(
    @Arg('input', () => AddCommentInput, { description: 'What, and about which article.' }) input: AddCommentInput,
    @Ctx() context: SignedInContext,
  ): Promise<CommentPayload> {
    const { em, viewer } = context;
    const [article, id] = await Promise.all([
      articleReference(context, input.article),
      context.reads.nextId('comments'),
    ]);
    const { idempotencyKey: key, body } = validate(newCommentRules, input);
    const asked = { article: article.id, body };
    const request = { userId: viewer.id, key, asked, entity: Comment, kind: ResourceKind.COMMENT };
    const comment = await createOnce(em, request, {
      prepare: () => renderBody(body, COMMENT_RENDERING),
      async create(em, rendered) {
        const comment = Object.assign(new Comment(article, em.getReference(User, viewer.id), rendered), { id });
        await em.persist(comment).flush();
        return comment;
      },
    });
    return { comment, article };
  }

  @Authorized()
  @Extensions({ recordsWrites: true })
  @Mutation(() => CommentPayload, { nullable: true, description: "Changes one of the viewer's own comments." })
  async updateComment(
    @Arg('input', () => UpdateCommentInput, { description: 'Which one, and what it says now.' })
    input: UpdateCommentInput,
    @Ctx() context: SignedInContext,
  ): Promise<CommentPayload> {
    const { em, viewer } = context;
    const comment = await findComment(context, input.comment);
    requirePermission(canUpdateComment(viewer, comment), ResourceKind.COMMENT);
    comment.change(await renderBody(validate(commentRules, input).body, COMMENT_RENDERING));
    await em.flush();
    return { comment, article: comment.article };
  }

  @Authorized()
  @Extensions({ recordsWrites: true })
  @Mutation(() => DeleteCommentPayload, {
    nullable: true,
    description: "Deletes a comment of the viewer's, or under an article of the viewer's.",
  })
  async deleteComment(
    @Arg('input', () => DeleteCommentInput, { description: 'Which one.' }) input: DeleteCommentInput,
    @Ctx() context: SignedInContext,
  ): Promise<DeleteCommentPayload> {
    const { em, viewer } = context;
    const comment = await findComment(context, input.comment);
    requirePermission(canDeleteComment(viewer, comment), ResourceKind.COMMENT);
    const { id, article } = comment;
    em.remove(comment);
    await em.flush();
    return { deletedId: globalId('Comment', id), article };
  }
}
