import type { ComponentProps, ReactNode } from 'react';
import { Link } from 'react-router';
import { API } from '../api/session.ts';

/** The picture of a user; one that the server draws, for users without a picture of their own. */
export const Avatar = ({ user, ...rest }: { user: Person } & ComponentProps<'img'>) => (
  <img src={user.image ?? `${API}/avatars/${encodeURIComponent(user.username)}.svg`} alt="" {...rest} />
);

/** Who wrote the article, and when. */
export const Byline = ({ author, date, children }: { author: Person; date: string; children?: ReactNode }) => (
  <div className="article-meta">
    <Link to={profileOf(author)} tabIndex={-1}>
      <Avatar user={author} />
    </Link>
    <div className="info">
      <Link to={profileOf(author)} className="author">
        {author.username}
      </Link>
      <When date={date} />
    </div>
    {children}
  </div>
);

export const When = ({ date }: { date: string }) => (
  <time className="date" dateTime={date}>
    {new Date(date).toLocaleDateString('en', { dateStyle: 'long' })}
  </time>
);

export const profileOf = ({ username }: Pick<Person, 'username'>) => `/profile/${encodeURIComponent(username)}`;

export interface Person {
  readonly username: string;
  readonly image: string | null;
}
