import type { MarkdownIt, Token } from 'markdown-it';

/** Turns the `[ ]` and `[x]` that a list item begins with into a checkbox that cannot be changed. */
export function renderTaskLists(parser: MarkdownIt): void {
  parser.core.ruler.after('inline', 'task_lists', ({ tokens, Token }) => {
    tokens.forEach((token, index) => {
      const [paragraph, text] = [tokens[index + 1], tokens[index + 2]];
      if (token.type !== 'list_item_open' || paragraph?.type !== 'paragraph_open') return;
      const first = text?.children?.[0];
      const [mark, state = ''] = /^\[([ xX])\](?=\s)/.exec(first?.type === 'text' ? first.content : '') ?? [];
      if (!mark || !first) return;
      first.content = first.content.slice(mark.length);
      const checkbox: Token = new Token('task_checkbox', 'input', 0);
      checkbox.attrs = [
        ['type', 'checkbox'],
        ['disabled', ''],
        ...(state === ' ' ? [] : [['checked', ''] as [string, string]]),
      ];
      text?.children?.unshift(checkbox);
      token.attrSet('class', 'task-list-item');
    });
  });
}
