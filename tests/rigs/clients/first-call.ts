// #region first-call
import { fetchClient, readFeed, signIn } from './fetch.ts';
import { createSession } from './session.ts';

const url = 'http://localhost:4000/graphql';
const session = createSession(url);
const ask = fetchClient(url, session);
await signIn(ask, session, 'johndoe@conduit.example', 'password123');

const feed = readFeed(ask);
await feed.more();
for (const { title, author, favoritesCount } of feed.articles) {
  console.log(`${title}, by ${author.username} (${favoritesCount} favourites)`);
}
// #endregion
