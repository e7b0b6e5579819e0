// The seed's mutation and query as a small Node server has them: graphql-yoga over node:sqlite, one upsert for a save,
// with SQLite's settings as the program has them. No tokens, no tenants, no history.
//
//   node server.mjs PORT DATABASE
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { createSchema, createYoga } from 'graphql-yoga';

const [port, file] = process.argv.slice(2);
const database = new DatabaseSync(file);
database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
  PRAGMA busy_timeout = 5000; PRAGMA temp_store = memory; PRAGMA wal_autocheckpoint = 4000;
  CREATE TABLE IF NOT EXISTS details (id TEXT NOT NULL, catalogGuid TEXT NOT NULL, integrationPackInstanceId TEXT NOT NULL,
    envId TEXT NOT NULL, processId TEXT NOT NULL, connectionId TEXT NOT NULL, isTokenGenerated INTEGER NOT NULL,
    oauthConnectorDetails TEXT NOT NULL, clientId TEXT NOT NULL,
    PRIMARY KEY (catalogGuid, integrationPackInstanceId, envId, processId, connectionId)) STRICT`);
const key = ['catalogGuid', 'integrationPackInstanceId', 'envId', 'processId', 'connectionId'];
const find = database.prepare(`SELECT * FROM details WHERE ${key.map((column) => `${column} = ?`).join(' AND ')}`);
const save = database.prepare(`INSERT INTO details VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
  isTokenGenerated = excluded.isTokenGenerated, oauthConnectorDetails = excluded.oauthConnectorDetails,
  clientId = excluded.clientId RETURNING *`);
const keyOf = (input) => key.map((column) => input[column]);

const fields = 'integrationPackInstanceId: String! envId: String! processId: String! connectionId: String! catalogGuid: String!';
const saved = 'isTokenGenerated: Boolean! oauthConnectorDetails: String!';
const typeDefs = `
  type IPackInstanceOAuthConnectorDetails { id: ID! ${fields} ${saved} }
  input FindInput { ${fields} }
  input SaveInput { ${fields} ${saved} clientId: String! clientSecret: String! }
  type Query { IPackInstanceOAuthConnectorDetails(input: FindInput!): IPackInstanceOAuthConnectorDetails }
  type Mutation { saveIPackInstanceOauthConnectorDetails(input: SaveInput!): IPackInstanceOAuthConnectorDetails }`;
const resolvers = {
  Query: { IPackInstanceOAuthConnectorDetails: (_, { input }) => find.get(...keyOf(input)) },
  Mutation: {
    saveIPackInstanceOauthConnectorDetails: (_, { input }) =>
      save.get(randomUUID(), ...keyOf(input), Number(input.isTokenGenerated), input.oauthConnectorDetails, input.clientId),
  },
};
const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), logging: false, landingPage: false, graphiql: false });
createServer((request, response) => (request.url === '/login' ? response.end('ready') : yoga(request, response))).listen(
  Number(port),
  '127.0.0.1',
);
