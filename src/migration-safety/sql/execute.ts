/** Runs a query on the caller's connection: the embedded database has only one. */
export type Execute = (sql: string) => Promise<Row[]>;

export type Row = Record<string, unknown>;
