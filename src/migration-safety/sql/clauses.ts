import { scanSync } from 'libpg-query';

/** The text of a `using`, a `where` or a `check`, which the parse tree does not keep. */

/** `alter column … type`: what follows `type`, and what follows `using`. */
export function typeChangeClauses(
  sql: string,
  column: string,
): { type: string; using: string | undefined } | undefined {
  for (const command of alterCommands(sql)) {
    const name = command[command[0]?.word === 'alter' && command[1]?.word === 'column' ? 2 : 1];
    if (command[0]?.word !== 'alter' || name?.name !== column) continue;
    const start = command.findIndex(
      (token, i) => token.word === 'type' && token.depth === 0 && i > command.indexOf(name),
    );
    if (start < 0) continue;
    const rest = command.slice(start + 1);
    const using = rest.findIndex(({ word, depth }) => word === 'using' && depth === 0);
    const type = rest.slice(0, using < 0 ? undefined : using);
    const collate = type.findIndex(({ word, depth }) => word === 'collate' && depth === 0);
    return {
      type: textOf(sql, type.slice(0, collate < 0 ? undefined : collate)),
      using: using < 0 ? undefined : textOf(sql, rest.slice(using + 1)),
    };
  }
  return undefined;
}

/** The expression of a check, by the name of its constraint; without a name, of the first check. */
export function checkExpression(sql: string, constraint: string | undefined): string | undefined {
  const tokens = tokensOf(sql);
  const named = tokens.findIndex(({ word }, i) => word === 'constraint' && tokens[i + 1]?.name === constraint);
  const check = tokens.findIndex(({ word }, i) => word === 'check' && i > (constraint ? named : -1));
  if (check < 0 || (constraint && named < 0)) return undefined;
  return textOf(sql, insideParentheses(tokens, check + 1));
}

/** The predicate of a partial index. */
export function indexPredicate(sql: string): string | undefined {
  const tokens = tokensOf(sql);
  const where = tokens.findIndex(({ word, depth }) => word === 'where' && depth === 0);
  return where < 0 ? undefined : textOf(sql, tokens.slice(where + 1));
}

/** Each `delete` of a statement, also inside its common table expressions, as the query that selects its rows. */
export function selectsOfDeletes(sql: string): string[] {
  const tokens = tokensOf(sql);
  return tokens.flatMap(({ word, depth }, i) => {
    if (word !== 'delete' || tokens[i + 1]?.word !== 'from') return [];
    const end = tokens.findIndex(
      (token, j) => j > i && (token.depth < depth || (token.depth === depth && token.word === 'returning')),
    );
    const parts = tokens.slice(i + 2, end < 0 ? undefined : end);
    const from = parts.findIndex((token) => token.depth === depth && token.word === 'where');
    const using = parts.findIndex((token) => token.depth === depth && token.word === 'using');
    const target = textOf(
      sql,
      parts.slice(
        0,
        [using, from].find((at) => at >= 0),
      ),
    );
    const others = using < 0 ? '' : `, ${textOf(sql, parts.slice(using + 1, from < 0 ? undefined : from))}`;
    return [`select * from ${target}${others}${from < 0 ? '' : ` where ${textOf(sql, parts.slice(from + 1))}`}`];
  });
}

interface Token {
  text: string;
  /** The text in lower case; empty for a quoted identifier or a constant. */
  word: string;
  /** The name that it is as an identifier. */
  name: string;
  from: number;
  to: number;
  /** How many parentheses are open; a parenthesis has the depth of its inside. */
  depth: number;
}

function tokensOf(sql: string): Token[] {
  let depth = 0;
  const tokens: Token[] = [];
  for (const { text, start, end, tokenName } of scanSync(sql).tokens) {
    if (tokenName === 'SQL_COMMENT' || tokenName === 'C_COMMENT' || text === ';') continue;
    if (text === '(' || text === '[') depth++;
    const word = /^["'$]/.test(text) ? '' : text.toLowerCase();
    const name = text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : word;
    // A closing parenthesis belongs to the depth outside, so that what follows `(…` at its depth has ended.
    if (text === ')' || text === ']') depth--;
    tokens.push({ text, word, name, from: start, to: end, depth });
  }
  return tokens;
}

/** The commands of ALTER TABLE, which commas separate. */
function alterCommands(sql: string): Token[][] {
  const tokens = tokensOf(sql);
  let start = 2;
  while (['if', 'exists', 'only'].includes(tokens[start]?.word ?? '')) start++;
  while (tokens[start + 1]?.text === '.') start += 2;
  if (tokens[++start]?.text === '*') start++;
  return splitAtCommas(tokens.slice(start), 0);
}

function splitAtCommas(tokens: Token[], depth: number): Token[][] {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (token.text === ',' && token.depth === depth) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

/** The tokens between the parenthesis at this position and the one that closes it. */
function insideParentheses(tokens: Token[], open: number): Token[] {
  const outside = (tokens[open]?.depth ?? 0) - 1;
  const close = tokens.findIndex(({ text, depth }, i) => i > open && text === ')' && depth === outside);
  return tokens.slice(open + 1, close < 0 ? undefined : close);
}

/** The text from the first to the last of the tokens, whose positions are in bytes. */
function textOf(sql: string, tokens: Token[]): string {
  const [first, last] = [tokens[0], tokens.at(-1)];
  return first && last ? Buffer.from(sql).subarray(first.from, last.to).toString().trim() : '';
}
