/**
 * Whether PostgreSQL can keep the text as it is. It refuses NUL, and a lone surrogate would silently come back as U+FFFD.
 * Everything else round-trips unchanged.
 */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();
