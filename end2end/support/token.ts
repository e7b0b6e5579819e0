// Secrets and tokens on the connector form, and the way to the identity provider and back.
//
// What a person chooses about the provider is a label in `Choice`; another way to come back from the provider is a
// function beside `agree`.
import { expect, type Locator, type Page } from '@playwright/test';
import { formPath, type Key } from './api';
import { ConnectorForm } from './form';
import { allowAtProvider, refuseAtProvider, signInAtProvider, type IdentityProvider } from './identity-provider';
import { open, scripted, settled } from './pages';

export const OPENING = 'Opening Access Token';
export const INITIALIZING = 'Initializing OAuth Token';
export const SUCCESSFUL = 'Access Token generation successful';
export const REFUSED =
  'Error attempting to retrieve OAuth Access token. Authorization Code not received. ERROR: access_denied';

/** The part of the card that is folded away at first. */
export const ADVANCED = 'Grant, client authentication and more';

/** The fields of the card Identity provider, by their labels. */
export interface Choice {
  Provider?: string;
  Issuer?: string;
  'Authorization endpoint'?: string;
  'Token endpoint'?: string;
  'Revocation endpoint'?: string;
  Scopes?: string;
  Grant?: string;
  'Client authentication'?: string;
  Subject?: string;
  'Key ID'?: string;
}

const MENUS: (keyof Choice)[] = ['Provider', 'Grant', 'Client authentication'];
const FOLDED_AWAY: (keyof Choice)[] = ['Grant', 'Client authentication', 'Subject', 'Key ID'];

export class TokenForm extends ConnectorForm {
  readonly secret = this.page.getByLabel('Client Secret', { exact: true });
  readonly newSecret = this.page.getByLabel('New secret', { exact: true });
  readonly redirectUri = this.page.getByLabel('Redirect URI', { exact: true });
  readonly credentials = this.page.locator('#credentials');
  readonly tokenCard = this.page.getByRole('region', { name: 'Access token', exact: true });
  /** What is said of the attempt to get a token. */
  readonly attempt = this.tokenCard.getByRole('status');
  readonly message = this.attempt.locator('p').first();
  readonly generateButton = this.page.getByRole('button', { name: /^(Generate|Regenerate) Token$/ });
  readonly history = this.page.getByRole('complementary', { name: 'History' });

  static override async open(page: Page, key: Key): Promise<TokenForm> {
    const { page: there } = await ConnectorForm.open(page, key);
    return new TokenForm(there, key);
  }

  /** Back from the provider's page, where that took the place of the form. */
  async reopen(): Promise<void> {
    if (!scripted()) await open(this.page, formPath(this.key));
  }

  press(name: string): Promise<void> {
    return this.page.getByRole('button', { name, exact: true }).click();
  }

  choice(label: keyof Choice): Locator {
    return this.page.getByLabel(label, { exact: true });
  }

  /** Opens a part of the form that is folded away. */
  async unfold(summary: string): Promise<void> {
    const part = this.page.locator('details').filter({ has: this.page.getByText(summary, { exact: true }) });
    if ((await part.getAttribute('open')) === null) await part.getByText(summary, { exact: true }).click();
  }

  async choose(choice: Choice): Promise<void> {
    for (const [name, value] of Object.entries(choice) as [keyof Choice, string][]) {
      // Without JavaScript the style sheet shows an input at once too.
      if (FOLDED_AWAY.includes(name)) await this.unfold(ADVANCED);
      if (MENUS.includes(name)) await this.choice(name).selectOption({ label: value });
      else await this.choice(name).fill(value);
    }
  }

  async expectChoice(choice: Choice): Promise<void> {
    for (const [name, value] of Object.entries(choice) as [keyof Choice, string][]) {
      if (MENUS.includes(name)) await expect(this.choice(name).locator('option:checked'), name).toHaveText(value);
      else await expect(this.choice(name), name).toHaveValue(value);
    }
  }

  /** Fills what a client of `idp` needs. */
  async fillFor(idp: IdentityProvider, clientId: string, choice: Choice = {}): Promise<void> {
    await this.fill({ 'Base URL': idp.issuer, 'Client ID': clientId });
    await this.choose({ Scopes: 'openid books.read', ...choice });
  }

  async encrypt(secret: string): Promise<void> {
    await this.secret.fill(secret);
    await this.press('Encrypt Client Secret');
    await this.expectEncrypted();
  }

  async expectEncrypted(): Promise<void> {
    await expect(this.credentials.getByText(/^Encrypted by/)).toBeVisible();
    await settled(this.page);
  }

  async encryptReplacement(secret: string): Promise<void> {
    await this.unfold('Replace it');
    await this.newSecret.fill(secret);
    await this.press('Encrypt replacement');
    await expect(this.credentials.getByText(/encrypted a replacement/)).toBeVisible();
    await settled(this.page);
  }

  /** Presses Generate Token; the page on which the provider shows up: a window, or without JavaScript this page. */
  async generate(): Promise<Page> {
    if (!scripted()) {
      await this.generateButton.click();
      return this.page;
    }
    const [opened] = await Promise.all([this.page.waitForEvent('popup'), this.generateButton.click()]);
    return opened;
  }

  /** A token, got in the ordinary way. */
  async getToken(): Promise<void> {
    await agree(await this.generate());
    await this.expectToken();
  }

  async expectMessage(text: string | RegExp): Promise<void> {
    await expect(this.page).toHaveURL((url) => url.pathname === formPath(this.key));
    await settled(this.page);
    await expect(this.message).toHaveText(text);
  }

  /** There is a token; the state is told in the header and on its card. */
  async expectToken(state = 'OK'): Promise<void> {
    await this.expectMessage(SUCCESSFUL);
    await expect(this.generateButton).toHaveText('Regenerate Token');
    await expect(this.generateButton).toBeEnabled();
    await expect(this.fact('State')).toHaveText(state);
    await expect(this.state).toHaveText(state);
  }

  async expectNoToken(): Promise<void> {
    await expect(this.generateButton).toHaveText('Generate Token');
    await expect(this.fact('State')).toHaveCount(0);
  }

  /** What the card says of the token. */
  fact(term: string): Locator {
    const pair = this.tokenCard.locator('dl > div');
    return pair.filter({ has: this.page.getByText(term, { exact: true }) }).locator('dd');
  }

  /** Everything that the status says from now on, each text once, in order. With JavaScript only. */
  async listen(): Promise<() => Promise<string[]>> {
    await this.attempt.evaluate((status) => {
      const said: string[] = [];
      const listener = (): void => {
        const text = status.querySelector('p')?.textContent;
        if (text && said.at(-1) !== text) said.push(text);
      };
      new MutationObserver(listener).observe(status, { subtree: true, childList: true, characterData: true });
      Object.assign(status, { said });
    });
    return () => this.attempt.evaluate((status) => (status as HTMLElement & { said: string[] }).said);
  }
}

/** The provider asks who it is only once in a browser. */
async function arrive(provider: Page, username?: string): Promise<void> {
  const signIn = provider.getByRole('button', { name: 'Sign in', exact: true });
  const allow = provider.getByRole('button', { name: 'Allow', exact: true });
  await expect(signIn.or(allow)).toBeVisible();
  if (await signIn.isVisible()) await signInAtProvider(provider, username);
  await expect(allow).toBeVisible();
}

/** Signs in at the provider and allows what is asked for, but for the scopes in `without`. */
export async function agree(provider: Page, how: { as?: string; without?: string[] } = {}): Promise<void> {
  await arrive(provider, how.as);
  await allowAtProvider(provider, how.without);
}

/** Signs in at the provider and refuses. */
export async function refuse(provider: Page): Promise<void> {
  await arrive(provider);
  await refuseAtProvider(provider);
}
