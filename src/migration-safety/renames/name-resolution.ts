import type { Tree } from '../sql/statements.ts';

/** A table or column that gets another name. Without `table`, `from` is a table. */
export interface RenamedObject {
  schema: string;
  /** The table of the column, by its name before. */
  table?: string;
  from: string;
  to: string;
}

/** The columns of each table, by its qualified name: 'public.articles'. */
export type Tables = Map<string, Set<string>>;

/** What a qualifier stands for: the tables it can be, none if that is not known. */
export type Scope = Map<string, string[]>;

interface Context {
  /** The innermost first. */
  scopes: Scope[];
  ctes: Set<string>;
}

/** Finds what names renamed tables and columns in parse trees, by PostgreSQL's rules of scope. */
export class NameResolution {
  readonly certain = new Set<string>();
  /** Columns of records whose table is not known; they count if the table is named as well. */
  readonly ofRecords = new Map<string, RenamedObject>();
  /** The tables that are named. */
  readonly tables = new Set<string>();
  readonly strings: string[] = [];
  private readonly renames: RenamedObject[];
  private readonly known: Tables;
  private readonly searchPath: string[];

  constructor(renames: RenamedObject[], known: Tables, searchPath: string[]) {
    this.renames = renames;
    this.known = known;
    this.searchPath = searchPath;
  }

  /** Looks through a parse tree; the variables are qualifiers from around it, such as NEW and OLD. */
  visit(tree: Tree, variables: Scope): void {
    this.walk(tree, { scopes: [variables], ctes: new Set() });
  }

  /** A table, by the parts of its name; returns its qualified name. */
  table(parts: string[]): string | undefined {
    const name = parts.at(-1) ?? '';
    const schemas = parts.length > 1 ? [parts.at(-2)] : [...this.searchPath, ...this.schemas()];
    const found = schemas.map((schema) => `${schema}.${name}`).find((key) => this.known.has(key));
    if (!found) return undefined;
    this.tables.add(found);
    if (this.renames.some((each) => !each.table && `${each.schema}.${each.from}` === found)) {
      this.certain.add(parts.join('.'));
    }
    return found;
  }

  /** A column of a table that is known. */
  column(table: string | undefined, name: string, words = name): void {
    if (table && this.renameOf(table, name)) this.certain.add(words);
  }

  private walk(node: Tree, context: Context): void {
    if (node === null || typeof node !== 'object') return;
    for (const [key, value] of Object.entries<Tree>(node)) {
      const reader = this.readers[key];
      if (reader) reader(value, context);
      else this.walk(value, context);
    }
  }

  private readonly readers: Record<string, (tree: Tree, context: Context) => void> = {
    SelectStmt: (tree, context) => this.statement(tree, tree.fromClause, context),
    larg: (tree, context) => this.walk(tree.targetList || tree.op ? { SelectStmt: tree } : tree, context),
    rarg: (tree, context) => this.walk(tree.targetList || tree.op ? { SelectStmt: tree } : tree, context),
    InsertStmt: (tree, context) => {
      const table = this.statement(tree, [], context, 'excluded');
      this.targets(tree.cols, table);
      this.targets(tree.onConflictClause?.targetList, table);
    },
    UpdateStmt: (tree, context) => this.targets(tree.targetList, this.statement(tree, tree.fromClause, context)),
    DeleteStmt: (tree, context) => this.statement(tree, tree.usingClause, context),
    MergeStmt: (tree, context) => {
      const table = this.statement(tree, [tree.sourceRelation], context);
      for (const { MergeWhenClause } of tree.mergeWhenClauses ?? []) this.targets(MergeWhenClause.targetList, table);
    },
    RangeVar: (tree, context) => this.relation(tree, context),
    relation: (tree, context) => this.relation(tree, context),
    TypeName: (tree) => this.type(tree),
    typeName: (tree) => this.type(tree),
    TypeCast: (tree, context) => {
      const text = tree.arg?.A_Const?.sval?.sval;
      if (text && namesOf(tree.typeName.names).at(-1) === 'regclass') this.table(identifiers(text));
      this.walk(tree.arg, context);
      this.type(tree.typeName);
    },
    ColumnRef: (tree, context) => this.columnRef(namesOf(tree.fields), context),
    A_Indirection: (tree, context) => {
      const base = tree.arg?.ColumnRef;
      if (base) this.columnRef([...namesOf(base.fields), ...namesOf(tree.indirection)], context);
      else this.walk(tree.arg, context);
      this.walk(tree.indirection, context);
    },
    IndexElem: (tree, context) => {
      if (tree.name) this.columnRef([tree.name], context);
      this.walk(tree.expr, context);
    },
    usingClause: (tree, context) => {
      // Of a join, columns; of a DELETE, tables.
      for (const name of namesOf(tree)) this.columnRef([name], context);
      this.walk(tree, context);
    },
    A_Const: (tree) => {
      if (tree.sval?.sval) this.strings.push(tree.sval.sval);
    },
  };

  /** The clauses of a statement see its tables; returns the table that it changes. */
  private statement(tree: Tree, from: Tree[] | undefined, context: Context, ...aliases: string[]): string | undefined {
    const ctes = new Set(context.ctes);
    for (const { CommonTableExpr } of tree.withClause?.ctes ?? []) ctes.add(CommonTableExpr.ctename);
    const scope: Scope = new Map();
    const inside = { scopes: [scope, ...context.scopes], ctes };
    for (const item of from ?? []) this.addTables(item, scope, inside);
    const changed = tree.relation?.relname ? this.relation(tree.relation, { ...inside, ctes: new Set() }) : undefined;
    if (changed) {
      for (const name of [tree.relation.alias?.aliasname ?? tree.relation.relname, ...aliases])
        scope.set(name, [changed]);
    }
    this.walk(tree, inside);
    return changed;
  }

  private addTables(item: Tree, scope: Scope, context: Context): void {
    const [kind, tree] = Object.entries<Tree>(item ?? {})[0] ?? ['', {}];
    if (kind === 'JoinExpr') {
      this.addTables(tree.larg, scope, context);
      this.addTables(tree.rarg, scope, context);
    } else if (kind === 'RangeVar') {
      const table = this.relation(tree, context);
      scope.set(tree.alias?.aliasname ?? tree.relname, table ? [table] : []);
    } else if (tree.alias) scope.set(tree.alias.aliasname, []);
  }

  private relation(tree: Tree, { ctes }: Context): string | undefined {
    if (!tree?.relname || (!tree.schemaname && ctes.has(tree.relname))) return undefined;
    return this.table(tree.schemaname ? [tree.schemaname, tree.relname] : [tree.relname]);
  }

  private type(tree: Tree): void {
    if (tree?.names) this.table(namesOf(tree.names));
  }

  private targets(list: Tree[] | undefined, table: string | undefined): void {
    for (const { ResTarget } of list ?? []) if (ResTarget?.name) this.column(table, ResTarget.name);
  }

  private columnRef(names: string[], { scopes }: Context): void {
    const [first = '', second] = names;
    if (second === undefined) {
      // Variables are the outermost scope, and their fields need a qualifier.
      const own = scopes.slice(0, -1).map((scope) => [...scope.values()].flat());
      const visible = own.find((tables) => tables.some((table) => this.known.get(table)?.has(first))) ?? [];
      for (const table of visible) this.column(table, first);
      return;
    }
    const words = names.join('.');
    const meant = scopes.find((scope) => scope.has(first))?.get(first);
    if (!meant) {
      // Not a variable or alias: schema.table.column.
      if (names.length > 2 && this.known.has(`${first}.${second}`))
        this.column(`${first}.${second}`, names[2] ?? '', words);
      return;
    }
    for (const table of meant) {
      this.column(table, second, words);
      if (table.endsWith(`.${first}`) && this.isRenamed(table)) this.certain.add(words);
    }
    const rename = this.renames.find((each) => each.table && each.from === second);
    if (meant.length === 0 && rename) this.ofRecords.set(words, rename);
  }

  private renameOf = (table: string, column: string) =>
    this.renames.find((each) => each.table && `${each.schema}.${each.table}` === table && each.from === column);

  private isRenamed = (table: string) =>
    this.renames.some((each) => !each.table && `${each.schema}.${each.from}` === table);

  private schemas = () => new Set([...this.known.keys()].map((key) => key.slice(0, key.indexOf('.'))));
}

/** The parts of a name as SQL: public."Articles". */
export const identifiers = (text: string): string[] =>
  [...text.matchAll(/"((?:[^"]|"")*)"|([^\s".[\]]+)/g)].map(([, quoted, plain = '']) =>
    quoted === undefined ? plain.toLowerCase() : quoted.replaceAll('""', '"'),
  );

const namesOf = (list: Tree[] | undefined): string[] =>
  (list ?? []).flatMap((each) => (each.String ? [each.String.sval ?? ''] : []));
