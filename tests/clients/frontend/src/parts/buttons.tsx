// #region favorite
import { useNavigate } from 'react-router';
import { type ArticlePreviewFragment, FavoriteArticleDocument, UnfavoriteArticleDocument } from '../api/documents.ts';
import { useMutate } from '../api/mutate.ts';
import { useSignedIn } from '../api/session.ts';
import { Errors } from './errors.tsx';

/** The response has the article with its new count, which the cache puts wherever the article is on the page. */
export function FavoriteButton({
  article,
  isLabelled = false,
}: {
  article: ArticlePreviewFragment;
  isLabelled?: boolean;
}) {
  const { id, viewerHasFavorited, favoritesCount } = article;
  const orSignIn = useOrSignIn();
  const { run, isRunning, sentences } = useMutate(
    viewerHasFavorited ? UnfavoriteArticleDocument : FavoriteArticleDocument,
  );
  const name = viewerHasFavorited ? 'Unfavorite Article' : 'Favorite Article';
  const look = viewerHasFavorited ? 'btn-primary' : 'btn-outline-primary';
  return (
    <>
      <button
        type="button"
        className={`btn btn-sm ${look}`}
        aria-label={`${name} (${favoritesCount})`}
        disabled={isRunning}
        onClick={orSignIn(() => run({ input: { article: { id } } }))}
      >
        <i className="ion-heart" /> {isLabelled ? `${name} (${favoritesCount})` : favoritesCount}
      </button>
      <Errors sentences={sentences} />
    </>
  );
}

/** Leads guests to sign-in instead. */
function useOrSignIn() {
  const isSignedIn = useSignedIn();
  const navigate = useNavigate();
  return (action: () => void) => (isSignedIn ? action : () => navigate('/login'));
}

// #endregion

import { FollowUserDocument, type ProfileFieldsFragment, UnfollowUserDocument } from '../api/documents.ts';

export function FollowButton({ user }: { user: ProfileFieldsFragment }) {
  const { id, username, viewerIsFollowing } = user;
  const orSignIn = useOrSignIn();
  const { run, isRunning, sentences } = useMutate(viewerIsFollowing ? UnfollowUserDocument : FollowUserDocument);
  const look = viewerIsFollowing ? 'btn-secondary' : 'btn-outline-secondary';
  return (
    <>
      <button
        type="button"
        className={`btn btn-sm action-btn ${look}`}
        disabled={isRunning}
        onClick={orSignIn(() => run({ input: { user: { id } } }))}
      >
        <i className={viewerIsFollowing ? 'ion-checkmark' : 'ion-plus-round'} />{' '}
        {viewerIsFollowing ? 'Unfollow' : 'Follow'} {username}
      </button>
      <Errors sentences={sentences} />
    </>
  );
}
