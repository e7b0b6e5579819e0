// A client of the GraphQL API, as another program would write it: an API token, a JWT made from it, HTTP.
import type { Program } from './server';

/** The five ids that together name one connection's details. */
export interface Key {
  space: string;
  instance: string;
  environment: string;
  process: string;
  connection: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  data: Record<string, unknown> | null;
  errors: { message: string; extensions?: Record<string, unknown> }[];
}

export interface Saved {
  id: string;
  integrationPackInstanceId: string;
  isTokenGenerated: boolean;
  oauthConnectorDetails: string;
  processId: string;
  envId: string;
  connectionId: string;
  catalogGuid: string;
}

/** As `iPackInstanceOauthAccessToken` answers it. */
export interface AccessToken {
  accessToken: string;
  tokenType: string;
  expiresAt: string | null;
  scope: string;
}

const DETAILS = `id integrationPackInstanceId isTokenGenerated oauthConnectorDetails processId envId connectionId catalogGuid`;

/** The key as a GraphQL input. */
export function ids(key: Key): string {
  const q = JSON.stringify;
  return `{ integrationPackInstanceId: ${q(key.instance)}, envId: ${q(key.environment)}, processId: ${q(key.process)},
    connectionId: ${q(key.connection)}, catalogGuid: ${q(key.space)} }`;
}

export function formPath(key: Key): string {
  const part = encodeURIComponent;
  return (
    `/spaces/${part(key.space)}/instances/${part(key.instance)}/environments/${part(key.environment)}` +
    `/processes/${part(key.process)}/connections/${part(key.connection)}`
  );
}

export function instancePath(key: Key): string {
  return `/spaces/${encodeURIComponent(key.space)}/instances/${encodeURIComponent(key.instance)}`;
}

export class Api {
  private token: { jwt: string; until: number } | undefined;

  private constructor(
    private readonly program: Program,
    readonly account: string,
    private readonly basic: string,
  ) {}

  /** A client with a new API token of `account`; `permissions` are more of the command's options. */
  static async of(program: Program, account: string, permissions: '--read-access-tokens'[] = []): Promise<Api> {
    const printed = await program.run(['token', 'create', '--account', account, '--name', 'end2end', ...permissions]);
    const { username, token } = JSON.parse(printed) as { username: string; token: string };
    return new Api(program, account, Buffer.from(`${username}:${token}`).toString('base64'));
  }

  async jwt(): Promise<string> {
    if (this.token && this.token.until > Date.now()) return this.token.jwt;
    const path = `/auth/jwt/generate/${encodeURIComponent(this.account)}`;
    const answer = await fetch(this.program.url + path, { headers: { Authorization: `Basic ${this.basic}` } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
    this.token = { jwt: text.trim(), until: Date.now() + 200_000 };
    return this.token.jwt;
  }

  /** `at` asks another replica than the one that this client belongs to. */
  async graphql(query: string, space: string, at = this.program): Promise<Answer> {
    const answer = await fetch(`${at.url}/graphql`, {
      method: 'POST',
      headers: {
        SPACE_GUID: space,
        Authorization: `Bearer ${await this.jwt()}`,
        Accept: 'application/json',
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ query }),
    });
    const text = await answer.text();
    const body = (text.startsWith('{') ? JSON.parse(text) : {}) as Partial<Answer>;
    return { status: answer.status, headers: answer.headers, data: body.data ?? null, errors: body.errors ?? [] };
  }

  /** The seed's mutation; `details` is sent as it is when it is text already. */
  async save(key: Key, details: object | string, more: { clientSecret?: string } = {}): Promise<Saved> {
    const answer = await this.trySave(key, details, more);
    if (answer.errors.length > 0) throw new Error(`The save was refused: ${JSON.stringify(answer.errors)}`);
    return answer.data?.['saveIPackInstanceOauthConnectorDetails'] as Saved;
  }

  async trySave(key: Key, details: object | string, more: { clientSecret?: string } = {}): Promise<Answer> {
    const text = typeof details === 'string' ? details : JSON.stringify(details);
    const q = JSON.stringify;
    return this.graphql(
      `mutation { saveIPackInstanceOauthConnectorDetails(input: {
        integrationPackInstanceId: ${q(key.instance)}, isTokenGenerated: false, oauthConnectorDetails: ${q(text)},
        processId: ${q(key.process)}, envId: ${q(key.environment)}, connectionId: ${q(key.connection)},
        catalogGuid: ${q(key.space)}, clientId: "a-client", clientSecret: ${q(more.clientSecret ?? 'dummyClientSecret')}
      }) { ${DETAILS} } }`,
      key.space,
    );
  }

  /** What is saved for the key, or null. */
  async read(key: Key): Promise<Saved | null> {
    const answer = await this.graphql(
      `query { IPackInstanceOAuthConnectorDetails(input: ${ids(key)}) { ${DETAILS} } }`,
      key.space,
    );
    if (answer.errors.length > 0) throw new Error(`The query was refused: ${JSON.stringify(answer.errors)}`);
    return (answer.data?.['IPackInstanceOAuthConnectorDetails'] ?? null) as Saved | null;
  }

  /** The access token of the key's connection, as an integration runtime asks for it. */
  async tryAccessToken(key: Key, at = this.program): Promise<Answer> {
    return this.graphql(
      `query { iPackInstanceOauthAccessToken(input: ${ids(key)}) { accessToken tokenType expiresAt scope } }`,
      key.space,
      at,
    );
  }

  async accessToken(key: Key, at = this.program): Promise<AccessToken> {
    const answer = await this.tryAccessToken(key, at);
    if (answer.errors.length > 0) throw new Error(`No access token: ${JSON.stringify(answer.errors)}`);
    return answer.data?.['iPackInstanceOauthAccessToken'] as AccessToken;
  }

  /** The saved connector details themselves. */
  async details(key: Key): Promise<Record<string, unknown> | null> {
    const saved = await this.read(key);
    return saved && (JSON.parse(saved.oauthConnectorDetails) as Record<string, unknown>);
  }
}
