/** The types that implement each interface, from which caches know which fragments an object matches. */
export { default } from '../../../../schema/generated/possible-types.ts';
