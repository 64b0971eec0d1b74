import { describe, expect, test } from 'vitest';
import { render } from '../../src/markdown/render.ts';
import { sanitize } from '../../src/markdown/sanitize.ts';
import { RENDER_LIMITS } from '../../src/markdown/syntax/limits.ts';

const html = (source: string, headingAnchors = true) => render(source, { headingAnchors }).html.trim();

describe('GitHub Flavored Markdown', () => {
  test.each([
    [
      'a table',
      '| a | b |\n| :- | -: |\n| 1 | 2 |',
      '<table>\n<thead>\n<tr>\n<th align="left">a</th>\n<th align="right">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td align="left">1</td>\n<td align="right">2</td>\n</tr>\n</tbody>\n</table>',
    ],
    [
      'a task list',
      '- [x] done\n- [ ] open',
      '<ul>\n<li class="task-list-item"><input type="checkbox" disabled checked /> done</li>\n<li class="task-list-item"><input type="checkbox" disabled /> open</li>\n</ul>',
    ],
    ['strikethrough', '~~gone~~', '<p><del>gone</del></p>'],
    [
      'bare addresses, but no names of files',
      'https://a.example, www.b.example, c@d.example and README.md',
      '<p><a href="https://a.example" rel="nofollow ugc noopener">https://a.example</a>, <a href="http://www.b.example" rel="nofollow ugc noopener">www.b.example</a>, <a href="mailto:c@d.example" rel="nofollow ugc noopener">c@d.example</a> and README.md</p>',
    ],
    ['code with its language', '```ts\na < b\n```', '<pre><code class="language-ts">a &lt; b\n</code></pre>'],
  ])('renders %s', (_, source, expected) => {
    expect(html(source)).toBe(expected);
  });

  test('footnotes link to their notes and back, with ids that no other text has', () => {
    const one = html('One[^a] and again[^a].\n\n[^a]: The note.');
    const ids = [...one.matchAll(/id="([^"]+)"/g)].map(([, id]) => id);
    const targets = [...one.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toHaveLength(3);
    expect(targets.toSorted()).toEqual([ids[2], ids[2], ids[0], ids[1]].toSorted());
    const other = html('Another[^a].\n\n[^a]: The note.');
    expect(ids.filter((id) => other.includes(`"${id}"`))).toEqual([]);
  });
});

describe('footnotes', () => {
  const ids = (text: string) => [...text.matchAll(/id="([^"]+)"/g)].map(([, id]) => id ?? '');

  test('of equal texts have different ids, since several texts are on one page', () => {
    const source = 'One[^a].\n\n[^a]: The note.';
    expect(ids(html(source)).filter((id) => html(source).includes(`"${id}"`))).toEqual([]);
  });

  test.each([
    ['in a note that nothing refers to', 'One.\n\n[^a]: See [^b].\n\n[^b]: The note.'],
    ['in the description of an image', '![a[^b]](https://a.example/b.png)\n\n[^b]: The note.'],
  ])('that are referred to only %s link back to nothing', (_, source) => {
    const rendered = html(source);
    const targets = [...rendered.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id ?? '');
    expect(rendered).toContain('The note.');
    expect(targets.filter((target) => !ids(rendered).includes(target))).toEqual([]);
  });

  test('are links, so that brackets around a reference make no link', () => {
    expect(html('[One[^a]](/b)\n\n[^a]: The note.')).toMatch(/^<p>\[One<sup><a .*<\/a><\/sup>\]\(\/b\)<\/p>/);
  });
});

describe('headings', () => {
  test('of an article have ids made of their text, which are distinct and begin with user-content-', () => {
    const source = '# What’s new in 2.0?\n# Intro\n# Intro\n# Intro-1\n# 日本語\n# ***\n# location';
    expect([...html(source).matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)).toEqual([
      'user-content-whats-new-in-20',
      'user-content-intro',
      'user-content-intro-1',
      'user-content-intro-1-1',
      'user-content-日本語',
      'user-content--1',
      'user-content-location',
    ]);
  });

  test('have ids of at most 100 characters, and no half one', () => {
    const name = `a${'𝒜'.repeat(99)}`;
    expect(html(`# ${name}𝒜`)).toContain(` id="user-content-${name}"`);
  });

  test('count as two elements each, since their ids take as long as they do', () => {
    const headings = (count: number) => html('# a\n'.repeat(count));
    expect(headings(RENDER_LIMITS.elements / 2)).toContain('user-content-a-2999');
    expect(() => headings(RENDER_LIMITS.elements / 2 + 1)).toThrow('has too many Markdown elements');
  });

  test('of a comment have none', () => {
    expect(html('# Intro', false)).toBe('<h1>Intro</h1>');
  });
});

test.each([
  [
    'raw HTML is text',
    '<b>bold</b> <script>alert(1)</script>',
    '<p>&lt;b&gt;bold&lt;/b&gt; &lt;script&gt;alert(1)&lt;/script&gt;</p>',
  ],
  [
    'a link has no trust',
    '[a](https://a.example)',
    '<p><a href="https://a.example" rel="nofollow ugc noopener">a</a></p>',
  ],
  ['a relative link stays', '[a](/b#c)', '<p><a href="/b#c" rel="nofollow ugc noopener">a</a></p>'],
  ['a link to a script is its text', '[a](javascript:alert(1))', '<p>a</p>'],
  [
    'a link in a link is its text',
    '[a <https://b.example> c](/d)',
    '<p><a href="/d" rel="nofollow ugc noopener">a https://b.example c</a></p>',
  ],
  [
    'a link in a link to a script stays',
    '[a <https://b.example> c](javascript:alert(1))',
    '<p>a <a href="https://b.example" rel="nofollow ugc noopener">https://b.example</a> c</p>',
  ],
  ['a link to data is its text', '[a](data:text/html,x)', '<p>a</p>'],
  [
    'an image over https stays',
    '![a](https://a.example/b.png "c")',
    '<p><img src="https://a.example/b.png" alt="a" title="c" /></p>',
  ],
  ['an image over http is its description', '![a](http://a.example/b.png)', '<p>a</p>'],
  ['a relative image is its description', '![a](b.png)', '<p>a</p>'],
  [
    'a description is text',
    '![<a href="https://b.example" id="c">a</a><img src="//b.example/d">](e.png) end',
    '<p>&lt;a href="https://b.example" id="c"&gt;a&lt;/a&gt;&lt;img src="//b.example/d"&gt; end</p>',
  ],
  [
    'a description does not swallow what follows',
    '![<!-- <xmp> <textarea>](a)\n\nb',
    '<p>&lt;!-- &lt;xmp&gt; &lt;textarea&gt;</p>\n<p>b</p>',
  ],
  ['an image of data is its description', '![a](data:image/png;base64,AAAA)', '<p>a</p>'],
])('%s', (_, source, expected) => {
  expect(html(source)).toBe(expected);
});

describe('the opening text', () => {
  const openingText = (source: string) => render(source, { headingAnchors: true }).openingText;

  test.each([
    ['has no markup', '**Bold** _and_ [a link](/x) with `code`.', 'Bold and a link with code.'],
    [
      'leaves out headings, code blocks, tables, images and footnotes',
      '# Title\n\n![x](https://a.example/x)One[^1]\n\n```\ncode\n```\n\n|a|\n|-|\n|b|\n\nTwo\n\n[^1]: Note',
      'One Two',
    ],
    ['is one line', 'One\ntwo  \nthree\n\nfour', 'One two three four'],
    ['of nothing but code is empty', '```\ncode\n```', ''],
  ])('%s', (_, source, expected) => {
    expect(openingText(source)).toBe(expected);
  });

  test('has at most one character more than the longest excerpt, and no half one', () => {
    expect(openingText('😀'.repeat(2_000))).toBe('😀'.repeat(501));
  });
});

test.each([
  ['nothing but a word', 'word', 1],
  ['240 words', 'word '.repeat(240), 1],
  ['241 words', 'word '.repeat(241), 2],
  ['500 Chinese characters', '漢'.repeat(500), 1],
  ['501 Chinese characters', '漢'.repeat(501), 2],
  ['a mixed text', `${'word '.repeat(240)}${'仮名'.repeat(250)}`, 2],
  ['code, which is read too', `\`\`\`\n${'word '.repeat(480)}\n\`\`\``, 2],
  ['signs that are no words', '-- '.repeat(500), 1],
])('the reading time of %s', (_, source, minutes) => {
  expect(render(source, { headingAnchors: true }).readingTimeMinutes).toBe(minutes);
});

describe('100,000 characters of adversarial Markdown', () => {
  const SIZE = 100_000;
  const fill = (text: string) => text.repeat(Math.floor(SIZE / text.length));

  test.each([
    ['quotes in each other', fill('>')],
    ['lists in each other', Array.from({ length: 400 }, (_, depth) => `${' '.repeat(2 * depth)}- a`).join('\n')],
    ['opening brackets', fill('[')],
    ['links that do not end', fill('[a](')],
    ['links in links', `${fill('[')}a${fill('](b)')}`.slice(0, SIZE)],
    ['backticks of growing length', Array.from({ length: 440 }, (_, n) => `${'`'.repeat(n)} `).join('')],
    ['emphasis that does not end', fill('*a ')],
    ['emphasis in each other', fill('**_')],
    ['autolinks that do not end', fill('<http:')],
    ['bare addresses', fill('http://a ')],
    ['e-mail addresses', fill('a@b.c ')],
    ['definitions', fill('[a]: b\n')],
    ['footnotes', `${fill('[^1]')}\n\n[^1]: a`],
    ['footnotes in each other', Array.from({ length: 5_000 }, (_, n) => `[^${n}]: [^${n + 1}]`).join('\n')],
    ['tables', fill('|a')],
    ['wide tables', `${fill('|a').slice(0, 20_000)}\n${fill('|-').slice(0, 20_000)}\n${fill('|b').slice(0, 60_000)}`],
    ['entities', fill('&amp;')],
    ['less-than signs', fill('<')],
    ['strikethrough', fill('~~a')],
    ['headings', fill('# a\n')],
    ['escapes', fill('\\*')],
    ['images that do not end', fill('![a](')],
  ])('of %s is rendered or refused with a reason, and no HTML is longer than the limit', (_, source) => {
    let rendered = '';
    try {
      rendered = html(source);
    } catch (error) {
      expect((error as { reason: string }).reason).toMatch(/^(nests|has|is|refers) too|^has too|^refers to|^nests/);
    }
    expect(rendered.length).toBeLessThan(RENDER_LIMITS.html * 2);
  });
});

test.each([
  ['an id of the page', '<h1 id="app">a</h1>', '<h1>a</h1>'],
  ['an image from elsewhere than https', '<p><img src="//a.example/b" /><img src="b" /></p>', '<p></p>'],
  ['a link to a script', '<a href="javascript:a()">a</a>', '<a>a</a>'],
  ['a class of the page', '<code class="hidden">a</code>', '<code>a</code>'],
])('the sanitizer removes %s, should the renderer let it through', (_, unsafe, safe) => {
  expect(sanitize(unsafe)).toBe(safe);
});
