import { useQuery } from '@apollo/client/react';
import { Link, Navigate, NavLink, useNavigate, useParams, useSearchParams } from 'react-router';
import { FeedDocument, TagsDocument } from '../api/documents.ts';
import { submitting } from '../api/mutate.ts';
import { useSignedIn } from '../api/session.ts';
import { ArticleList, FilteredArticles, usePaging } from '../parts/article-list.tsx';

/** The newest articles, those with a tag, those that a search finds, or the viewer's feed. The address says which. */
export function HomePage() {
  const { tag = null } = useParams();
  const [parameters] = useSearchParams();
  const query = parameters.get('q');
  const isSignedIn = useSignedIn();
  const isFeed = parameters.has('feed');
  if (isFeed && !isSignedIn) return <Navigate to="/login" replace />;
  return (
    <div className="home-page">
      <title>{`${tag ?? query ?? 'Home'} — Conduit`}</title>
      {!isSignedIn && <Banner />}
      <div className="container page row">
        <div className="col-md-9">
          <div className="feed-toggle">
            <ul className="nav nav-pills outline-active">
              {isSignedIn && <Tab to="/?feed=following" isActive={isFeed} label="Your Feed" />}
              <Tab to="/" isActive={!isFeed && !tag && !query} label="Global Feed" />
              {tag && <Tab to={`/tag/${encodeURIComponent(tag)}`} isActive label={`# ${tag}`} />}
              {query && <Tab to={`/?q=${encodeURIComponent(query)}`} isActive label={`Search: ${query}`} />}
            </ul>
          </div>
          {isFeed ? <Feed /> : <FilteredArticles filter={{ ...(tag && { tag }), ...(query && { query }) }} />}
        </div>
        <div className="col-md-3">
          <Search query={query ?? ''} />
          <PopularTags />
        </div>
      </div>
    </div>
  );
}

function Feed() {
  const { data, error } = useQuery(FeedDocument, { variables: usePaging(), fetchPolicy: 'cache-and-network' });
  return (
    <ArticleList
      page={data?.viewer?.feed}
      error={error}
      none={
        <div className="empty-feed-message">
          Your feed is empty. Follow some authors of the <Link to="/">Global Feed</Link> to fill it.
        </div>
      }
    />
  );
}

function PopularTags() {
  const { data } = useQuery(TagsDocument, { variables: { first: 20 } });
  return (
    <div className="sidebar">
      <p>Popular Tags</p>
      <div className="tag-list">
        {data?.tags.nodes.map(({ id, name }) => (
          <Link key={id} to={`/tag/${encodeURIComponent(name)}`} className="tag-pill tag-default">
            {name}
          </Link>
        ))}
      </div>
    </div>
  );
}

const Banner = () => (
  <div className="banner">
    <div className="container">
      <h1 className="logo-font">conduit</h1>
      <p>A place to share your knowledge.</p>
    </div>
  </div>
);

const Tab = ({ to, isActive, label }: { to: string; isActive: boolean; label: string }) => (
  <li className="nav-item">
    <NavLink to={to} className={() => `nav-link ${isActive ? 'active' : ''}`}>
      {label}
    </NavLink>
  </li>
);

function Search({ query }: { query: string }) {
  const navigate = useNavigate();
  return (
    <search>
      <form
        key={query}
        onSubmit={submitting<{ q: string }>(({ q }) => navigate(q ? `/?q=${encodeURIComponent(q)}` : '/'))}
      >
        <input
          className="form-control"
          type="search"
          name="q"
          placeholder="Search"
          aria-label="Search articles"
          defaultValue={query}
        />
      </form>
    </search>
  );
}
