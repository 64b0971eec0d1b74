/**
 * The collation of lists that people read: by letters whatever their case and accents, which only decide between equal letters. It is
 * the same on every PostgreSQL with ICU, the embedded one included, unlike the collation of a database.
 */
export const COLLATION = 'und-x-icu';
