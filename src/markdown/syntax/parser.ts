/// <reference path="./markdown-it-footnote.d.ts" />
import createMarkdownIt, { type MarkdownIt } from 'markdown-it';
import footnotes from 'markdown-it-footnote';
import { renderFootnotes } from './footnotes.ts';
import { anchorHeadings } from './heading-anchors.ts';
import { limitWork } from './limits.ts';
import { applyLinkPolicy } from './link-policy.ts';
import { escapeText } from './plain-text.ts';
import { renderTaskLists } from './task-lists.ts';

/**
 * CommonMark with the tables, task lists, strikethrough, autolinks and footnotes of GitHub Flavored Markdown. HTML in the source
 * is text.
 */
export function createParser(): MarkdownIt {
  const parser = createMarkdownIt({ html: false, linkify: true });
  parser.use(footnotes).disable('footnote_inline');
  // What a link may lead to is decided by the link policy, after parsing, so that links parse as CommonMark says.
  parser.validateLink = () => true;
  for (const extend of [
    linkBareAddresses,
    renderFootnotes,
    renderTaskLists,
    anchorHeadings,
    applyLinkPolicy,
    renderAsGitHub,
    limitWork,
  ]) {
    extend(parser);
  }
  return parser;
}

/** Links what begins with http://, https:// or www., and e-mail addresses; not `README.md`, which could be a domain. */
function linkBareAddresses({ linkify }: MarkdownIt): void {
  linkify.add('//', null).add('ftp:', null);
  linkify.add('www.', {
    validate(text, position, { re }) {
      const host = re.get_relative_proto_validator();
      host.lastIndex = position;
      return host.exec(text)?.[0].length ?? 0;
    },
    normalize: (match) => {
      match.url = `http://${String(match.url)}`;
    },
  });
}

/** Uses `<del>`, and `align` instead of a style; escapes no more than it must. */
function renderAsGitHub(parser: MarkdownIt): void {
  const { rules } = parser.renderer;
  // Quotation marks need no entity in text, and the sanitiser takes its time for each.
  rules.text = (tokens, index) => escapeText(tokens[index]?.content ?? '');
  rules.s_open = () => '<del>';
  rules.s_close = () => '</del>';
  for (const cell of ['th_open', 'td_open']) {
    rules[cell] = (tokens, index, options, _env, self) => {
      const token = tokens[index] as (typeof tokens)[number];
      const [, alignment] = /^text-align:(\w+)$/.exec(String(token.attrGet('style'))) ?? [];
      if (alignment) token.attrs = [['align', alignment]];
      return self.renderToken(tokens, index, options);
    };
  }
}
