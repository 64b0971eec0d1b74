/** Where a frontend keeps the typed documents; ours are the published ones. */
export * from '../../../../schema/generated/graphql.ts';
