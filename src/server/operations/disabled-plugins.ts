import type { ApolloServerPlugin } from '@apollo/server';
import * as disabled from '@apollo/server/plugin/disabled';

/**
 * Apollo Server's default plugins, disabled: a landing page with scripts from another host, cache control for every field, and,
 * if APOLLO_KEY is set, reporting to Apollo's cloud. Packages that only these load are not installed ("overrides" in
 * package.json).
 */
export const disabledPlugins = (): ApolloServerPlugin[] => [
  disabled.ApolloServerPluginCacheControlDisabled(),
  disabled.ApolloServerPluginInlineTraceDisabled(),
  disabled.ApolloServerPluginLandingPageDisabled(),
  disabled.ApolloServerPluginSchemaReportingDisabled(),
  disabled.ApolloServerPluginUsageReportingDisabled(),
];
