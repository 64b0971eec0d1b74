import { useQuery } from '@apollo/client/react';
import { Fragment, type ReactNode } from 'react';
import { Link, useSearchParams } from 'react-router';
import {
  type ArticleFilter,
  type ArticlePageFragment,
  type ArticlePreviewFragment,
  ArticlesDocument,
} from '../api/documents.ts';
import { sentencesOf } from '../api/mutate.ts';
import { FavoriteButton } from './buttons.tsx';
import { Errors } from './errors.tsx';
import { Byline } from './person.tsx';
import { TagList } from './tag-list.tsx';

/** The variables of the page whose number is `?page=` of the address, or of the nearest one that the server accepts. */
export const usePaging = (first = 10) => {
  const asked = Math.trunc(Number(useSearchParams()[0].get('page'))) || 1;
  const page = Math.min(Math.max(1, asked), Math.floor(MAX_OFFSET / first) + 1);
  return { first, offset: (page - 1) * first };
};

/** Articles by a filter. Those in the cache are shown at once and read again, since other users write too. */
export function FilteredArticles({ filter }: { filter: ArticleFilter }) {
  const variables = { ...usePaging(), filter };
  const { data, error } = useQuery(ArticlesDocument, { variables, fetchPolicy: 'cache-and-network' });
  return <ArticleList page={data?.articles} error={error} none="No articles are here... yet." />;
}

/** A page of articles, from any of the queries that return one. */
export function ArticleList({ page, error, none }: { page?: ArticlePageFragment; error?: unknown; none: ReactNode }) {
  if (error) return <Errors sentences={sentencesOf(error)} />;
  if (!page) return <div className="article-preview waiting">Loading articles…</div>;
  if (page.totalCount === 0) return <div className="article-preview">{none}</div>;
  return (
    <>
      {page.edges.map(({ node }) => (
        <Preview key={node.id} article={node} />
      ))}
      <Pagination articlesCount={page.totalCount} />
    </>
  );
}

const Preview = ({ article }: { article: ArticlePreviewFragment }) => (
  <div className="article-preview">
    <Byline author={article.author} date={article.createdAt}>
      <div className="pull-xs-right">
        <FavoriteButton article={article} />
      </div>
    </Byline>
    <Link to={`/article/${article.slug}`} className="preview-link">
      <h1>{article.title}</h1>
      <p>{article.description}</p>
      <span>Read more...</span>
      <TagList names={article.tagList} />
    </Link>
  </div>
);

/** The first and the last page, and those around the current one. */
function Pagination({ articlesCount }: { articlesCount: number }) {
  const { first, offset } = usePaging();
  const [parameters] = useSearchParams();
  const current = offset / first + 1;
  const last = Math.ceil(Math.min(articlesCount, MAX_OFFSET + first) / first);
  const addressOf = (page: number) => `?${new URLSearchParams({ ...Object.fromEntries(parameters), page: `${page}` })}`;
  const isNear = (page: number) => page === 1 || page === last || Math.abs(page - current) <= 3;
  const pages = Array.from({ length: last }, (_, index) => index + 1).filter(isNear);
  if (last < 2) return null;
  return (
    <nav aria-label="Pages">
      <ul className="pagination">
        {pages.map((page, index) => (
          <Fragment key={page}>
            {index > 0 && pages[index - 1] !== page - 1 && <li className="page-gap">…</li>}
            <li className={`page-item ${page === current ? 'active' : ''}`}>
              <Link className="page-link" to={addressOf(page)}>
                {page}
              </Link>
            </li>
          </Fragment>
        ))}
      </ul>
    </nav>
  );
}

/** The greatest `offset` that the server accepts. */
const MAX_OFFSET = 10_000;
