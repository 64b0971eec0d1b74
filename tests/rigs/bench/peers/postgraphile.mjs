import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';

/** PostGraphile as its manual sets it up, without GraphiQL and websockets. It trusts the header that names the viewer, and needs no token. */
const preset = {
  extends: [PostGraphileAmberPreset],
  // It would leave out the articles of an author, because their indexes are partial.
  disablePlugins: ['PgIndexBehaviorsPlugin'],
  pgServices: [
    makePgService({ connectionString: process.env.DATABASE_URL, schemas: ['public'], poolConfig: { max: 10 } }),
  ],
  grafserv: { graphiql: false, websockets: false, watch: false, maxRequestLength: 1_500_000 },
  grafast: {
    explain: false,
    context: ({ node }) => {
      const viewer = node?.req.headers['x-viewer'];
      return { pgSettings: viewer ? { 'blog.viewer': viewer } : {} };
    },
  },
};

const server = createServer();
const served = postgraphile(preset).createServ(grafserv);
await served.addTo(server);
server.listen(Number(process.env.PORT), '127.0.0.1');
