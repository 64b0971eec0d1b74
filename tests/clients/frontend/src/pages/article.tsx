import { useApolloClient, useQuery } from '@apollo/client/react';
import { useEffect } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import {
  ArticleDocument,
  type ArticleFieldsFragment,
  DeleteArticleDocument,
  RecordArticleReadDocument,
} from '../api/documents.ts';
import { useMutate } from '../api/mutate.ts';
import { FavoriteButton, FollowButton } from '../parts/buttons.tsx';
import { Comments } from '../parts/comments.tsx';
import { Errors, NotFound, Waiting } from '../parts/errors.tsx';
import { Byline } from '../parts/person.tsx';
import { TagList } from '../parts/tag-list.tsx';

export function ArticlePage() {
  const { slug = '' } = useParams();
  const { data, error } = useQuery(ArticleDocument, { variables: { slug } });
  const article = data?.article;
  useRecordedRead(article);
  if (!data) return <Waiting error={error} />;
  if (!article) return <NotFound what="article" />;
  return (
    <div className="article-page">
      <title>{`${article.title} — Conduit`}</title>
      <div className="banner">
        <div className="container">
          <h1>{article.title}</h1>
          <Meta article={article} />
        </div>
      </div>
      <div className="container page">
        {article.coverImage && <img className="cover" src={article.coverImage} alt="" />}
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: the server makes this HTML, and it runs no script. */}
        <div className="article-content" dangerouslySetInnerHTML={{ __html: article.bodyHtml }} />
        <TagList names={article.tagList} />
        <hr />
        <div className="article-actions">
          <Meta article={article} />
        </div>
        {article.status === 'PUBLISHED' && <Comments slug={article.slug} />}
      </div>
    </div>
  );
}

/** A query does not count as a read. Nothing waits for the response. */
function useRecordedRead(article: ArticleFieldsFragment | null | undefined): void {
  const client = useApolloClient();
  const id = article?.status === 'PUBLISHED' ? article.id : null;
  useEffect(() => {
    if (!id) return;
    const variables = { input: { article: { id } } };
    client.mutate({ mutation: RecordArticleReadDocument, variables }).catch(() => {});
  }, [client, id]);
}

function Meta({ article }: { article: ArticleFieldsFragment }) {
  const { author, slug, status, publishedAt, createdAt, readingTimeMinutes, viewerCanUpdate, viewerCanDelete } =
    article;
  return (
    <Byline author={author} date={publishedAt ?? createdAt}>
      <span className="reading-time">
        {status === 'DRAFT' ? 'Draft · ' : ''}
        {readingTimeMinutes} min read
      </span>
      <div className="article-buttons">
        {viewerCanUpdate && (
          <Link className="btn btn-sm btn-outline-secondary" to={`/editor/${slug}`}>
            <i className="ion-edit" /> Edit Article
          </Link>
        )}
        {viewerCanDelete && <DeleteButton article={article} />}
        {!viewerCanUpdate && (
          <>
            <FollowButton user={author} />
            <FavoriteButton article={article} isLabelled />
          </>
        )}
      </div>
    </Byline>
  );
}

function DeleteButton({ article }: { article: ArticleFieldsFragment }) {
  const client = useApolloClient();
  const navigate = useNavigate();
  const { run, isRunning, sentences } = useMutate(DeleteArticleDocument, () => {
    navigate('/');
    client.cache.evict({ id: client.cache.identify(article) }); // and so from every list
  });
  return (
    <>
      <button
        type="button"
        className="btn btn-sm btn-outline-danger"
        disabled={isRunning}
        onClick={() => run({ input: { article: { id: article.id } } })}
      >
        <i className="ion-trash-a" /> Delete Article
      </button>
      <Errors sentences={sentences} />
    </>
  );
}
