/** The texts of a large blog. Plain ASCII without apostrophes, so that its slugs in SQL equal those of slugify(). */

export const FIRST_NAMES = words(`
  ada amir anna bruno carla chen dora elif emil fatima felix grace hana hugo ines ivan jonas julia kenji lara leo
  lucia malik maria mateo mila nadia nora omar oskar paula priya rafael rosa samir sofia tomas vera yara zoe
`);

export const LAST_NAMES = words(`
  adler almeida bauer becker castro costa dubois eriksen fischer garcia haddad hansen ito jansen kaya keller kim
  kowalski larsen lopez martin mendes meyer moreau nagy nilsen novak okafor olsen park petrov ricci rossi sato
  silva singh suzuki tanaka weber wong
`);

export const OPENINGS = [
  'A short history of',
  'A field guide to',
  'Against',
  'All the ways to break',
  'An honest look at',
  'Learning to love',
  'Living without',
  'Notes on',
  'On teaching',
  'Seven questions about',
  'Stop worrying about',
  'The case for',
  'The hidden cost of',
  'The small joys of',
  'Thinking in',
  'Things I got wrong about',
  'Three years of',
  'Understanding',
  'What nobody tells you about',
  'When to avoid',
  'Where to start with',
  'Why we gave up on',
  'Why we moved to',
  'A weekend with',
];

export const SUBJECTS = [
  'append-only logs',
  'back-of-the-envelope estimates',
  'bread without kneading',
  'code review',
  'connection pools',
  'cursor pagination',
  'database migrations',
  'deadlocks',
  'dependency injection',
  'design documents',
  'end-to-end tests',
  'error messages',
  'event sourcing',
  'exponential backoff',
  'feature flags',
  'foreign keys',
  'full-text search',
  'GraphQL schemas',
  'hash joins',
  'hexagonal architecture',
  'idempotency keys',
  'incident reports',
  'keyboard shortcuts',
  'lateral joins',
  'legacy code',
  'long train rides',
  'message queues',
  'microservices',
  'monorepos',
  'naming things',
  'night photography',
  'on-call rotations',
  'open source maintenance',
  'optimistic locking',
  'pair programming',
  'partial indexes',
  'plain text',
  'property-based testing',
  'query planners',
  'rate limits',
  'read replicas',
  'release notes',
  'remote work',
  'row-level security',
  'schema design',
  'server-side rendering',
  'side projects',
  'small pull requests',
  'sourdough',
  'static types',
  'structured logging',
  'technical interviews',
  'the event loop',
  'time zones',
  'transaction isolation',
  'trunk-based development',
  'unit of work',
  'vacuum and bloat',
  'vegetable gardens',
  'writing documentation',
];

export const DESCRIPTIONS = [
  'What worked, what did not, and what we would do differently.',
  'Everything I wish somebody had told me before I started.',
  'A practical tour with examples you can run yourself.',
  'The trade-offs behind a decision that looked obvious.',
  'Lessons from a year in production.',
  'A gentle introduction for people who are in a hurry.',
  'The numbers, the mistakes, and one surprising result.',
  'Why the usual advice is only half of the story.',
  'How a small team got by with less.',
  'A checklist, and the reasons for each item on it.',
  'Questions readers asked, answered in one place.',
  'It looked simple until it met real people.',
];

export const PARAGRAPHS = [
  'It began with a graph that refused to go down. We had tried the obvious things first, as one does, and each of them made the picture a little clearer without changing it.',
  'Most of what follows is not new. What surprised me is how rarely it is written down in one place, with the reasons next to the rules.',
  'If you take only one thing from this text, take this: measure before you change anything, and write the number down where others will find it.',
  'There is a tempting shortcut here. I have taken it twice, and both times I came back a few months later to undo it under pressure.',
  'The first version took an afternoon. The second took three weeks, and most of that time went into deleting parts of the first.',
  'A colleague asked why we did not simply buy it. The honest answer is that we did not yet know what we needed, and building it was how we found out.',
  'None of this matters on a small scale. At ten thousand a day you will not notice; at a million you will notice little else.',
  'I like to explain it with a kitchen. Everybody can cook at once as long as nobody needs the same knife, and the whole art is in having enough knives.',
  'The documentation says one thing, the source another. When in doubt, read the source, then send a patch for the documentation.',
  'We ran both side by side for a month. Nobody complained about the new one, which is the highest praise an infrastructure team can hope for.',
  'There are good reasons to do the opposite. If your data fits in memory and your users sit in one time zone, stop reading and enjoy the weather.',
  'It turned out that the slow part was not where anybody had looked. It was in a loop that had been correct for six years.',
  'What changed my mind was a conversation with someone who had to operate it at three in the morning. She had a list, and it was not short.',
  'Start with the smallest thing that could be called done. Show it to somebody. Their first question is usually the next thing to build.',
  'Names carry more weight than we admit. Once we had called it by its right name, half of the special cases turned out to be the same case.',
  'The test passed, of course. It had passed for a year, because it compared the result with itself.',
];

export const HEADINGS = [
  'Where it hurts',
  'What we tried first',
  'The idea',
  'How it works',
  'A worked example',
  'What it costs',
  'What could go wrong',
  'In production',
  'What the numbers say',
  'Alternatives',
];

export const LISTS = [
  '- keep it boring\n- keep it small\n- keep a way back',
  '1. Write down what you expect.\n2. Run it.\n3. Explain the difference.',
  '- **cheap**: no new service to run\n- **safe**: one transaction, all or nothing\n- **slow**: but only once a night',
  '- [x] a backup that was restored at least once\n- [x] an alert that somebody reads\n- [ ] a second pair of eyes',
  '1. Measure\n2. Change one thing\n3. Measure again',
];

export const SNIPPETS = [
  '```sql\nexplain (analyze, buffers)\nselect title from articles order by published_at desc limit 20;\n```',
  '```ts\nconst article = await em.findOneOrFail(Article, { slug });\narticle.title = title;\nawait em.flush();\n```',
  '```graphql\n{\n  articles(first: 10) {\n    nodes { title author { username } }\n  }\n}\n```',
  '```sh\nnpm ci\nnpm test\nnpm start\n```',
  '```ts\ntest("the feed is never empty", async () => {\n  expect(await feed()).not.toEqual([]);\n});\n```',
];

export const COMMENTS = [
  'Thank you, this is the clearest explanation I have read so far.',
  'We made the same mistake last year. I wish I had found this earlier.',
  'I am not convinced by the second part. Have you tried it with real traffic?',
  'Could you say more about what it costs?',
  'The example saved my afternoon.',
  'Small typo in the third paragraph, otherwise spot on.',
  'This matches what we see in production almost to the digit.',
  'How does this behave when two people do it at the same time?',
  'Bookmarked. I will send this to everybody who asks me.',
  'I disagree, politely: the shortcut is fine as long as you know it is one.',
  'Reading this with my team tomorrow.',
  'Is there a follow-up planned?',
];

const TOPICS = words(`
  postgresql graphql typescript nodejs testing performance databases web javascript design security devops career
  writing linux architecture apis git open-source data cooking travel photography gardening music books cycling
  science history education css rust python docker observability accessibility algorithms hardware games health
`);

const ASPECTS = words(`
  beginners tips news deep-dive tools patterns mistakes interviews culture reviews questions stories research
  teams workshops opinion reference experiments migration weekly podcasts jobs events retrospectives
`);

/** Tag names, at most 1,000, those of a single topic first. */
export const tagNames = (count: number): string[] =>
  ['', ...ASPECTS.map((aspect) => `-${aspect}`)]
    .flatMap((aspect) => TOPICS.map((topic) => topic + aspect))
    .slice(0, count);

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
