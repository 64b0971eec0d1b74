/** A plain SQL dump in pieces: statements, and the lines of `COPY … FROM stdin`. */
export type Piece = { sql: string } | { copyData: string } | { copyEnds: true };

/** Cuts a dump into pieces as its text arrives, the way psql does: by semicolons outside quotes and comments. */
export async function* piecesOf(chunks: AsyncIterable<string>): AsyncGenerator<Piece> {
  let text = '';
  let isCopying = false;
  for await (const chunk of withEnd(chunks)) {
    text += chunk ?? '';
    const isEnd = chunk === undefined;
    for (let cut = next(text, isCopying, isEnd); cut !== undefined; cut = next(text, isCopying, isEnd)) {
      text = cut.rest;
      if (cut.found === undefined) continue;
      isCopying = 'copyData' in cut.found || ('sql' in cut.found && COPY_FROM_STDIN.test(cut.found.sql));
      yield cut.found;
    }
  }
  if (isCopying) throw new Error('The dump ends in the middle of a COPY: it is not complete.');
}

const COPY_FROM_STDIN = /^\s*copy\s[\s\S]*\sfrom\s+stdin\b/i;

interface Cut {
  found?: Piece | undefined;
  rest: string;
}

const next = (text: string, isCopying: boolean, isEnd: boolean) =>
  isCopying ? copyLines(text, isEnd) : statement(text, isEnd);

async function* withEnd(chunks: AsyncIterable<string>): AsyncGenerator<string | undefined> {
  yield* chunks;
  yield undefined;
}

function copyLines(text: string, isEnd: boolean): Cut | undefined {
  const end = /^\\\.\r?(?:\n|$)/m.exec(text);
  if (end !== null && (end[0].endsWith('\n') || isEnd)) {
    const lines = text.slice(0, end.index);
    if (lines !== '') return { found: { copyData: lines }, rest: text.slice(end.index) };
    return { found: { copyEnds: true }, rest: text.slice(end[0].length) };
  }
  const whole = text.lastIndexOf('\n') + 1;
  return whole > 0 ? { found: { copyData: text.slice(0, whole) }, rest: text.slice(whole) } : undefined;
}

/** Starts of what a semicolon does not end: quotes, comments, dollar quotes; and the semicolon itself. */
const MARK = /--|\/\*|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|[eE]?'|"|;|[()]/g;

function statement(text: string, isEnd: boolean): Cut | undefined {
  const space = /^\s+/.exec(text);
  if (space !== null) return { rest: text.slice(space[0].length) };
  if (text.startsWith('\\')) return metaCommand(text, isEnd);
  let depth = 0;
  for (let at = 0; ; ) {
    MARK.lastIndex = at;
    const mark = MARK.exec(text);
    if (mark === null) break;
    at = mark.index + mark[0].length;
    if (mark[0] === '(') depth += 1;
    else if (mark[0] === ')') depth -= 1;
    else if (mark[0] === ';') {
      if (depth > 0 || isInBody(text.slice(0, at))) continue; // a rule's actions, or an SQL function's body
      const sql = text.slice(0, at);
      if (!COPY_FROM_STDIN.test(sql)) return { found: { sql }, rest: text.slice(at) };
      const data = after(text, '\n', at); // its lines begin below it
      return data < 0 ? undefined : { found: { sql }, rest: text.slice(data) };
    } else {
      const end = endOf(mark[0], text, at);
      if (end < 0) return isEnd && mark[0] !== '--' ? unfinished(text) : isEnd ? { rest: '' } : undefined;
      // A comment between statements goes on its own: it may be most of the file.
      if (mark[0] === '--' && mark.index === 0) return { rest: text.slice(end) };
      at = end;
    }
  }
  return isEnd && text !== '' ? unfinished(text) : undefined;
}

const isInBody = (sql: string) =>
  /^create\s+(or\s+replace\s+)?(function|procedure)/i.test(sql) &&
  /\bbegin\s+atomic\b/i.test(sql) &&
  !/\bend\s*;$/i.test(sql);

function metaCommand(text: string, isEnd: boolean): Cut | undefined {
  const line = text.indexOf('\n');
  if (line < 0 && !isEnd) return undefined;
  const command = line < 0 ? text : text.slice(0, line);
  if (!/^\\(un)?restrict\b/.test(command)) throw new Error(`The dump has "${command.trim()}", which only psql knows.`);
  return { rest: line < 0 ? '' : text.slice(line + 1) };
}

/** Where what `mark` began ends; -1 when that is further on than the text goes. */
function endOf(mark: string, text: string, from: number): number {
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
  throw new Error(`The dump ends in the middle of a statement: ${text.slice(0, 80)}`);
}
