import { useQuery } from '@apollo/client/react';
import { Link, NavLink, useParams } from 'react-router';
import { DraftsDocument, ProfileDocument } from '../api/documents.ts';
import { ArticleList, FilteredArticles, usePaging } from '../parts/article-list.tsx';
import { FollowButton } from '../parts/buttons.tsx';
import { NotFound, Waiting } from '../parts/errors.tsx';
import { Avatar, profileOf } from '../parts/person.tsx';

export function ProfilePage({ list }: { list: 'articles' | 'favorites' | 'drafts' }) {
  const { username = '' } = useParams();
  const { data, error } = useQuery(ProfileDocument, { variables: { username } });
  if (!data) return <Waiting error={error} />;
  const { user } = data;
  if (!user) return <NotFound what="user" />;
  if (list === 'drafts' && !user.isViewer) return <NotFound />;
  return (
    <div className="profile-page">
      <title>{`${user.username} — Conduit`}</title>
      <div className="user-info">
        <div className="container">
          <Avatar user={user} className="user-img" />
          <h4>{user.username}</h4>
          <p>{user.bio}</p>
          <p className="counts">
            {user.followersCount} followers · follows {user.followingCount}
          </p>
          {user.isViewer ? (
            <Link className="btn btn-sm btn-outline-secondary action-btn" to="/settings">
              <i className="ion-gear-a" /> Edit Profile Settings
            </Link>
          ) : (
            <FollowButton user={user} />
          )}
        </div>
      </div>
      <div className="container page">
        <div className="articles-toggle">
          <ul className="nav nav-pills outline-active">
            <Tab to={profileOf(user)}>{user.isViewer ? 'My Articles' : 'Articles'}</Tab>
            <Tab to={`${profileOf(user)}/favorites`}>Favorited Articles</Tab>
            {user.isViewer && <Tab to={`${profileOf(user)}/drafts`}>Drafts</Tab>}
          </ul>
        </div>
        {list === 'articles' && <FilteredArticles filter={{ author: user.username }} />}
        {list === 'favorites' && <FilteredArticles filter={{ favoritedBy: user.username }} />}
        {list === 'drafts' && <Drafts />}
      </div>
    </div>
  );
}

function Drafts() {
  const { data, error } = useQuery(DraftsDocument, { variables: usePaging(), fetchPolicy: 'cache-and-network' });
  return <ArticleList page={data?.viewer?.drafts} error={error} none="No drafts. The editor can save one." />;
}

const Tab = ({ to, children }: { to: string; children: string }) => (
  <li className="nav-item">
    <NavLink className="nav-link" to={to} end>
      {children}
    </NavLink>
  </li>
);
