import { LIMITS } from './large/size.ts';

const most = (name: keyof typeof LIMITS) => LIMITS[name].most.toLocaleString('en');

export const HELP = `Fills the database of the environment (DATABASE_URL, or the embedded one) with a blog to try things on.

  npm run seed                             a demo blog: 12 people, 60 articles, comments, favourites, follows
  npm run seed -- --articles 1000000       a large one, in proportion: 50,000 users, 200 tags, some 6 million other rows
  npm run seed -- --articles 2000 --users 50 --tags 12
  npm run seed -- --articles 2000 --seed 2 --json

Options
  --articles N   how many articles a large blog has, at most ${most('articles')}
  --users N      how many users; without it one for 20 articles, at least 10
  --tags N       how many tags; without it one for 10 articles, from 10 to 200
  --seed N       which of all the blogs of this size; 1 without it. Another seed can stand beside it
  --json         print the result as JSON to stdout, and everything else to stderr
  --help         print this

Signing in: every account has the password "password123".
  demo    johndoe@conduit.example and the others: name@conduit.example
  large   user1@seed1.conduit.example to userN@seed1.conduit.example, "seed1" being the --seed

Running it again adds what is missing and leaves what is there, changed or not, as it is. The demo knows its own rows by
who wrote them and the moment they were made, the large blog by the names and slugs with their numbers: more --articles
with the same --seed make the same blog larger. Nothing else is changed or deleted. When somebody else already has a name, an e-mail address or a slug that it needs, it adds nothing
there and says whose. Ctrl-C stops a large blog after the batch under way; the same command goes on from there.

A large blog writes with the counting triggers off, a batch a transaction: on a PostgreSQL its role must own the tables,
and writers wait for the batch under way, a second or so.

Exit codes
  0    done, or nothing to do
  1    something broke: the message says what
  2    an option is wrong
  3    the database is not ready: pending migrations, not the owner of its tables, or NODE_ENV=production
  4    a name that it needs belongs to somebody else
  130  stopped by Ctrl-C
`;
