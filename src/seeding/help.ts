import { SIZE_LIMITS } from './large/size.ts';

const max = (name: keyof typeof SIZE_LIMITS) => SIZE_LIMITS[name].max.toLocaleString('en');

export const HELP = `Adds a blog to the configured database (DATABASE_URL, or the embedded one).

  npm run seed                             a demo blog: 12 people, 60 articles, a draft, comments, favourites, follows
  npm run seed -- --articles 1000000       a large blog: 50,000 users, 200 tags, about 6 million other rows
  npm run seed -- --articles 2000 --users 50 --tags 12
  npm run seed -- --articles 2000 --seed 2 --json

Options
  --articles N   the number of articles of a large blog, at most ${max('articles')}
  --users N      the number of users; by default one per 20 articles, at least 10
  --tags N       the number of tags; by default one per 10 articles, from 10 to 200
  --seed N       the seed of its contents; by default 1. Blogs of different seeds can share a database
  --json         print the result as JSON to stdout, everything else to stderr
  --help         print this

The pictures of people are faces that the server draws: http://localhost:4000/avatars/johndoe.svg. PORT sets another port.
Every account has the password "password123".
  demo    johndoe@conduit.example and the others: name@conduit.example
  large   user1@seed1.conduit.example to userN@seed1.conduit.example, for --seed 1

Running it again adds what is missing. Existing rows are never changed or deleted. The demo recognizes its own rows by author
and creation time, a large blog by names and slugs with their numbers: more --articles with the same --seed extend the same
blog. If another account or article has a name, an e-mail address or a slug that the seed needs, it adds nothing there and
reports which. Ctrl-C stops a large blog after the current batch; the same command continues from there.

A large blog is written with the count triggers disabled, one transaction per batch: on a PostgreSQL the role must own the
tables, and other writers wait for the current batch, about a second.

Exit codes
  0    done, or nothing to do
  1    an unexpected error
  2    an invalid option
  3    the database is not ready: pending migrations, not the owner of its tables, or NODE_ENV=production
  4    a name that the seed needs is taken
  130  interrupted by Ctrl-C
`;
