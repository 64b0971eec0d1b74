/** A part of a plain SQL dump: a statement, or lines of `COPY … FROM stdin`. */
export type DumpPart = { sql: string } | { copyData: string } | { copyEnds: true };

/** Splits a dump as its text arrives, as psql does: at semicolons outside quotes and comments. */
export async function* splitSql(chunks: AsyncIterable<string>): AsyncGenerator<DumpPart> {
  let text = '';
  let isCopying = false;
  for await (const chunk of withEnd(chunks)) {
    text += chunk ?? '';
    const isEnd = chunk === undefined;
    for (let cut = nextCut(text, isCopying, isEnd); cut !== undefined; cut = nextCut(text, isCopying, isEnd)) {
      text = cut.rest;
      if (cut.part === undefined) continue;
      isCopying = 'copyData' in cut.part || ('sql' in cut.part && COPY_FROM_STDIN.test(cut.part.sql));
      yield cut.part;
    }
  }
  if (isCopying) throw new Error('The dump is incomplete: it ends in the middle of a COPY.');
}

const COPY_FROM_STDIN = /^\s*copy\s[\s\S]*\sfrom\s+stdin\b/i;

interface Cut {
  part?: DumpPart | undefined;
  rest: string;
}

const nextCut = (text: string, isCopying: boolean, isEnd: boolean) =>
  isCopying ? cutCopyData(text, isEnd) : cutStatement(text, isEnd);

async function* withEnd(chunks: AsyncIterable<string>): AsyncGenerator<string | undefined> {
  yield* chunks;
  yield undefined;
}

function cutCopyData(text: string, isEnd: boolean): Cut | undefined {
  const end = /^\\\.\r?(?:\n|$)/m.exec(text);
  if (end !== null && (end[0].endsWith('\n') || isEnd)) {
    const lines = text.slice(0, end.index);
    if (lines !== '') return { part: { copyData: lines }, rest: text.slice(end.index) };
    return { part: { copyEnds: true }, rest: text.slice(end[0].length) };
  }
  const whole = text.lastIndexOf('\n') + 1;
  return whole > 0 ? { part: { copyData: text.slice(0, whole) }, rest: text.slice(whole) } : undefined;
}

/** A semicolon, and what starts text in which it does not end a statement: quotes, comments, dollar quotes, parentheses. */
const MARK = /--|\/\*|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|[eE]?'|"|;|[()]/g;

function cutStatement(text: string, isEnd: boolean): Cut | undefined {
  const space = /^\s+/.exec(text);
  if (space !== null) return { rest: text.slice(space[0].length) };
  if (text.startsWith('\\')) return cutMetaCommand(text, isEnd);
  let depth = 0;
  for (let at = 0; ; ) {
    MARK.lastIndex = at;
    const mark = MARK.exec(text);
    if (mark === null) break;
    at = mark.index + mark[0].length;
    if (mark[0] === '(') depth += 1;
    else if (mark[0] === ')') depth -= 1;
    else if (mark[0] === ';') {
      if (depth > 0 || isInFunctionBody(text.slice(0, at))) continue; // a rule's actions, or an SQL function's body
      const sql = text.slice(0, at);
      if (!COPY_FROM_STDIN.test(sql)) return { part: { sql }, rest: text.slice(at) };
      const data = after(text, '\n', at); // its data starts on the next line
      return data < 0 ? undefined : { part: { sql }, rest: text.slice(data) };
    } else {
      const end = endOfQuoted(mark[0], text, at);
      if (end < 0) return isEnd && mark[0] !== '--' ? unfinished(text) : isEnd ? { rest: '' } : undefined;
      // A comment between statements is cut separately: comments may be most of the file.
      if (mark[0] === '--' && mark.index === 0) return { rest: text.slice(end) };
      at = end;
    }
  }
  return isEnd && text !== '' ? unfinished(text) : undefined;
}

const isInFunctionBody = (sql: string) =>
  /^create\s+(or\s+replace\s+)?(function|procedure)/i.test(sql) &&
  /\bbegin\s+atomic\b/i.test(sql) &&
  !/\bend\s*;$/i.test(sql);

function cutMetaCommand(text: string, isEnd: boolean): Cut | undefined {
  const line = text.indexOf('\n');
  if (line < 0 && !isEnd) return undefined;
  const command = line < 0 ? text : text.slice(0, line);
  if (!/^\\(un)?restrict\b/.test(command)) throw new Error(`The dump contains "${command.trim()}", a command of psql.`);
  return { rest: line < 0 ? '' : text.slice(line + 1) };
}

/** Where the quote or comment that `mark` opens ends; -1 if beyond the text so far. */
function endOfQuoted(mark: string, text: string, from: number): number {
  if (mark === '--') return after(text, '\n', from);
  if (mark === '/*') return after(text, '*/', from);
  if (mark.startsWith('$')) return after(text, mark, from);
  if (mark === '"' || mark === "'") return after(text, mark, from); // a doubled quote is an end and a new start
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === "'") return at + 1;
  }
  return -1;
}

function after(text: string, end: string, from: number): number {
  const at = text.indexOf(end, from);
  return at < 0 ? -1 : at + end.length;
}

function unfinished(text: string): never {
  throw new Error(`The dump is incomplete: it ends in the middle of a statement: ${text.slice(0, 80)}`);
}
