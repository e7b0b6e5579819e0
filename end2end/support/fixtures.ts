// What each test is given: a running world, visitors to it, and an eye on everything their browsers complain about.
import { test as base, expect, type BrowserContext, type Page } from '@playwright/test';
import type { Admin, Environment } from './server';
import { startIdentityProvider, type IdentityProvider } from './identity-provider';
import { scripted } from './pages';
import { World } from './world';

export { expect } from '@playwright/test';

/** Console errors, uncaught exceptions, CSP violations, hydration warnings: each fails the test unless allowed. */
export class Complaints {
  private readonly heard: string[] = [];
  /** A test may end its program, and the browser asks for the picture of the tab when it likes. */
  private readonly allowed: RegExp[] = [/ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE) \(\S+\/favicon\.svg\)/];

  watch(context: BrowserContext): void {
    context.on('console', (message) => {
      const text = message.text();
      if (message.type() === 'error' || /content security policy|hydrat|panicked/i.test(text)) {
        this.heard.push(`${text} (${message.location().url})`);
      }
    });
    context.on('weberror', (error) => this.heard.push(String(error.error())));
  }

  /** For an answer that the test brings about: the console reports it as a failed load. */
  allowStatus(status: number): void {
    this.allowed.push(new RegExp(`status of ${status}\\b`));
  }

  allow(pattern: RegExp): void {
    this.allowed.push(pattern);
  }

  expectNone(): void {
    expect(this.heard.filter((text) => !this.allowed.some((pattern) => pattern.test(text)))).toEqual([]);
  }
}

interface Visit {
  /** Signed in as; nobody otherwise. */
  admin?: Admin;
  world?: World;
  colorScheme?: 'light' | 'dark';
  viewport?: { width: number; height: number };
}

interface TestFixtures {
  complaints: Complaints;
  /** A fresh browser profile with one page. */
  visit: (how?: Visit) => Promise<Page>;
  /** A program of the test's own, with settings of its own. */
  ownWorld: (settings?: Environment) => Promise<World>;
  /** An identity provider of the test's own. */
  idp: IdentityProvider;
  logOnFailure: void;
}

export const test = base.extend<TestFixtures, { world: World }>({
  world: [
    // Playwright reads what a fixture needs from this pattern, so it has to be there.
    async ({}, use) => {
      const world = await World.launch();
      await use(world);
      await world.program.dispose();
    },
    { scope: 'worker', timeout: 60_000 },
  ],

  complaints: [
    async ({}, use) => {
      const complaints = new Complaints();
      await use(complaints);
      complaints.expectNone();
    },
    { auto: true },
  ],

  // Asks for ownWorld so that its programs end after the browsers that talk to them.
  visit: async ({ browser, world, complaints, ownWorld: _ }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (how = {}) => {
      const there = how.world ?? world;
      const context = await browser.newContext({
        baseURL: there.program.url,
        javaScriptEnabled: scripted(),
        colorScheme: how.colorScheme ?? 'light',
        viewport: how.viewport ?? { width: 1280, height: 900 },
      });
      contexts.push(context);
      complaints.watch(context);
      if (how.admin) await context.addCookies(await there.session(browser, how.admin));
      return context.newPage();
    });
    for (const context of contexts) await context.close();
  },

  ownWorld: async ({}, use, testInfo) => {
    const worlds: World[] = [];
    await use(async (settings = {}) => {
      const world = await World.launch(settings);
      worlds.push(world);
      return world;
    });
    for (const world of worlds) {
      if (testInfo.status !== testInfo.expectedStatus) await testInfo.attach('own server log', { body: world.program.log() });
      await world.program.dispose();
    }
  },

  idp: async ({}, use) => {
    const idp = await startIdentityProvider();
    await use(idp);
    await idp.stop();
  },

  logOnFailure: [
    async ({ world }, use, testInfo) => {
      const from = world.program.log().length;
      await use();
      if (testInfo.status !== testInfo.expectedStatus) {
        await testInfo.attach('server log', { body: world.program.log().slice(from) });
      }
    },
    { auto: true },
  ],
});
