/** Which types an interface stands for, so that caches can tell which fragments an object matches. */
export { default } from '../../../../schema/generated/possible-types.ts';
