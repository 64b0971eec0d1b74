import sanitizeHtml from 'sanitize-html';
import { ID_PREFIX } from './syntax/heading-anchors.ts';
import { IMAGE_SCHEMES, LINK_SCHEMES } from './syntax/link-policy.ts';

/**
 * Removes from HTML whatever the renderer does not make. The renderer makes nothing harmful either: this is the second line, for a
 * fault in the first.
 */
export const sanitize = (html: string): string => sanitizeHtml(html, ALLOWED);

function withOwnIds(tagName: string, { id, ...others }: sanitizeHtml.Attributes): sanitizeHtml.Tag {
  return { tagName, attribs: id?.startsWith(ID_PREFIX) ? { id, ...others } : others };
}

const ALLOWED: sanitizeHtml.IOptions = {
  allowedTags: [
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'p', 'blockquote', 'ul', 'ol', 'li', 'pre', 'hr', 'section'],
    ...['table', 'thead', 'tbody', 'tr', 'th', 'td'],
    ...['a', 'img', 'em', 'strong', 'del', 'code', 'br', 'sup', 'input'],
  ],
  allowedAttributes: {
    ...Object.fromEntries(['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'li'].map((tag) => [tag, ['id']])),
    a: ['href', 'title', 'rel', 'id', 'aria-label'],
    img: ['src', 'alt', 'title'],
    ol: ['start'],
    th: [{ name: 'align', values: ['left', 'center', 'right'] }],
    td: [{ name: 'align', values: ['left', 'center', 'right'] }],
    input: [{ name: 'type', values: ['checkbox'] }, 'checked', 'disabled'],
  },
  allowedClasses: {
    a: ['footnote-ref', 'footnote-backref'],
    code: ['language-*'],
    li: ['task-list-item'],
    section: ['footnotes'],
  },
  allowedSchemes: LINK_SCHEMES,
  allowedSchemesByTag: { img: IMAGE_SCHEMES },
  disallowedTagsMode: 'discard',
  transformTags: { '*': withOwnIds },
  exclusiveFilter: ({ tag, attribs }) => tag === 'img' && !attribs.src?.startsWith('https://'),
};
