/** The published documents and their types, where a frontend of its own has a copy of them. */
export * from '../../../../../schema/generated/graphql.ts';
export { default as generated } from '../../../../../schema/generated/possible-types.ts';
