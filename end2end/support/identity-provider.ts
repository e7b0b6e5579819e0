// The real identity provider beside a test, and what a person does on its pages.
import type { Page } from '@playwright/test';
import type { IdentityProvider, Options } from '../identity-provider/provider.mjs';

export type { IdentityProvider, Options, Revocation, TokenRequest } from '../identity-provider/provider.mjs';

/** Starts one on a free port; whoever starts it calls `stop()`. */
export async function startIdentityProvider(options: Options = {}): Promise<IdentityProvider> {
  // oidc-provider is an ES module and these tests become CommonJS, which can only take it in this way.
  const { startProvider } = await import('../identity-provider/provider.mjs');
  return startProvider(options);
}

/** Fills the sign-in page that `page` shows. Anybody may sign in, with any password. */
export async function signInAtProvider(page: Page, username = 'reader'): Promise<void> {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill('any password');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Presses Allow on the consent page, after unticking the scopes in `without`. */
export async function allowAtProvider(page: Page, without: string[] = []): Promise<void> {
  for (const scope of without) await page.getByRole('checkbox', { name: scope, exact: true }).uncheck();
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
}

/** Presses Refuse on the consent page. */
export async function refuseAtProvider(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Refuse', exact: true }).click();
}
