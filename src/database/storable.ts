/**
 * Whether PostgreSQL can store the text unchanged. It rejects NUL, and a lone surrogate would silently become U+FFFD.
 * Everything else round-trips.
 */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();
