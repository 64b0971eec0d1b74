import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    target: 'es2024',
    chunkSizeWarningLimit: 1000, // React, Apollo Client and graphql
    rolldownOptions: {
      onLog: (level, log, next) => log.code === 'MODULE_LEVEL_DIRECTIVE' || next(level, log), // "use client" is for servers
    },
  },
});
