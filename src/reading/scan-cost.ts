/**
 * What it costs to go through all the rows that a list is taken from, to count them or to apply a filter. A list states it in
 * its extensions (`scanCost`); selection-complexity.ts adds it once for each such scan.
 */
export const SCAN_COST = {
  /** One range of an index, such as the followers of a user. */
  indexRange: 10,
  /** One range of an index, and each of its rows. */
  rowsOfRange: 100,
  /** All rows of a table, or nearly. */
  table: 1_000,
  /** The candidates of a search, which a query adds. */
  search: 500,
} as const;
