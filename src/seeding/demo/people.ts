import { User } from '../../users/user.entity.ts';
import { PASSWORD_HASH } from '../credentials.ts';

/** The users of the demo blog and their bios; they registered in this order, one a day. */
export const PEOPLE: Record<string, string> = {
  johndoe: 'Backend developer. Collects small tools, long walks and bad puns.',
  mira: 'Database engineer. I read query plans for fun and for money.',
  tomasz: 'TypeScript, GraphQL and too many tabs. Maintains two libraries you have never heard of.',
  lena: 'Teaches web development in Leipzig. Believes that every bug is a story.',
  priya: 'Site reliability engineer. If the pager is quiet, I am hiking.',
  hiroshi: 'Designs interfaces by day, photographs empty stations by night.',
  sofia: 'Test engineer. I break it first, so that you do not have to.',
  kwame: 'Freelance developer in Accra. Writes about work that can be finished.',
  ingrid: 'Sourdough, sea kayaks and shell scripts.',
  mateo: 'Cyclist with a day job in data engineering.',
  aisha: 'Security engineer. Ask me about tokens, or better, do not keep them in a repository.',
  benoit: 'Retired physicist, learning to program at 67. Slow reader, thorough answers.',
};

export const demoUsers = (server: string): User[] =>
  Object.entries(PEOPLE).map(([username, bio], day) => {
    const user = new User({ username, email: emailOf(username), passwordHash: PASSWORD_HASH });
    user.change({ bio, image: `${server}/avatars/${username}.svg` });
    return Object.assign(user, { createdAt: new Date(Date.UTC(2026, 0, 5 + day, 9, 4 * day)) });
  });

function emailOf(username: string): string {
  return `${username}@conduit.example`;
}
