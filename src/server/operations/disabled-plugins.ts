import type { ApolloServerPlugin } from '@apollo/server';
import * as disabled from '@apollo/server/plugin/disabled';

/**
 * Turns off what Apollo does unasked: a page that loads its scripts from another host, a look at the cache policy of every
 * field, and, where the environment has an APOLLO_KEY, reports on operations and schema to Apollo's cloud. Packages that
 * only these would load are not installed ("overrides" in package.json).
 */
export const disabledPlugins = (): ApolloServerPlugin[] => [
  disabled.ApolloServerPluginCacheControlDisabled(),
  disabled.ApolloServerPluginInlineTraceDisabled(),
  disabled.ApolloServerPluginLandingPageDisabled(),
  disabled.ApolloServerPluginSchemaReportingDisabled(),
  disabled.ApolloServerPluginUsageReportingDisabled(),
];
