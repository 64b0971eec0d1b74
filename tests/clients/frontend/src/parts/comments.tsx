// #region comments
import { useQuery } from '@apollo/client/react';
import { useState } from 'react';
import { Link } from 'react-router';
import {
  AddCommentDocument,
  type CommentFieldsFragment,
  CommentsDocument,
  DeleteCommentDocument,
} from '../api/documents.ts';
import { submitting, useMutate } from '../api/mutate.ts';
import { useViewer } from '../api/viewer.ts';
import { Errors } from './errors.tsx';
import { Avatar, profileOf, When } from './person.tsx';

/** The newest comments first; a click shows earlier ones. */
export function Comments({ slug }: { slug: string }) {
  const variables = { slug, first: 20, orderBy: { field: 'CREATED_AT', direction: 'DESC' } } as const;
  const { data, fetchMore, refetch } = useQuery(CommentsDocument, { variables });
  const comments = data?.article?.comments;

  const showEarlier = () =>
    fetchMore({
      variables: { after: comments?.pageInfo.endCursor },
      updateQuery: (shown, { fetchMoreResult: { article } }) =>
        article && shown.article
          ? {
              article: {
                ...article,
                comments: { ...article.comments, nodes: [...shown.article.comments.nodes, ...article.comments.nodes] },
              },
            }
          : shown,
    });

  return (
    <>
      <CommentForm slug={slug} onAdded={() => refetch()} />
      {comments?.nodes.map((comment) => (
        <Comment key={comment.id} comment={comment} onDeleted={() => refetch()} />
      ))}
      {comments?.pageInfo.hasNextPage && (
        <button type="button" className="btn btn-sm btn-outline-secondary" onClick={() => void showEarlier()}>
          Show earlier comments
        </button>
      )}
    </>
  );
}
// #endregion

function CommentForm({ slug, onAdded }: { slug: string; onAdded: () => void }) {
  const viewer = useViewer();
  const [added, setAdded] = useState(0);
  const { run, isRunning, sentences } = useMutate(AddCommentDocument, () => {
    setAdded(added + 1);
    onAdded();
  });
  if (viewer === undefined) return null;
  if (viewer === null) {
    return (
      <p>
        <Link to="/login">Sign in</Link> or <Link to="/register">sign up</Link> to add comments on this article.
      </p>
    );
  }
  return (
    <>
      <Errors sentences={sentences} />
      <form
        key={added} // an empty one after each comment
        className="card comment-form"
        onSubmit={submitting<{ body: string }>(({ body }) => run({ input: { article: { slug }, body } }))}
      >
        <div className="card-block">
          <textarea
            className="form-control"
            name="body"
            rows={3}
            placeholder="Write a comment..."
            aria-label="Comment"
          />
        </div>
        <div className="card-footer">
          <Avatar user={viewer.user} className="comment-author-img" />
          <button type="submit" className="btn btn-sm btn-primary" disabled={isRunning}>
            Post Comment
          </button>
        </div>
      </form>
    </>
  );
}

function Comment({ comment, onDeleted }: { comment: CommentFieldsFragment; onDeleted: () => void }) {
  const { id, author, bodyHtml, createdAt, viewerCanDelete } = comment;
  const { run, isRunning, sentences } = useMutate(DeleteCommentDocument, onDeleted);
  return (
    <div className="card">
      <div className="card-block">
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: the server makes this HTML, and it runs no script. */}
        <div className="card-text" dangerouslySetInnerHTML={{ __html: bodyHtml }} />
      </div>
      <div className="card-footer">
        {author ? (
          <Link to={profileOf(author)} className="comment-author">
            <Avatar user={author} className="comment-author-img" /> {author.username}
          </Link>
        ) : (
          <span className="comment-author">a deleted account</span>
        )}
        <When date={createdAt} />
        {viewerCanDelete && (
          <span className="mod-options">
            <button
              type="button"
              aria-label="Delete comment"
              disabled={isRunning}
              onClick={() => run({ input: { comment: { id } } })}
            >
              <i className="ion-trash-a" />
            </button>
          </span>
        )}
      </div>
      <Errors sentences={sentences} />
    </div>
  );
}
