/** The published documents and their types. A frontend in a repository of its own exports its copy of them here. */
export * from '../../../../../schema/generated/graphql.ts';
export { default as generated } from '../../../../../schema/generated/possible-types.ts';
