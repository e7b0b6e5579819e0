// A running program with two accounts, their Spaces, admins and API clients. Each Playwright worker has one;
// a test that restarts, kills or configures the program launches its own.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, type Browser, type Cookie } from '@playwright/test';
import { Api, type Key } from './api';
import { signIn } from './pages';
import { FIRST_ADMIN, Program, type Admin, type Environment } from './server';

export const ACCOUNT = 'childaccount-ZF3X9U';
export const OTHER_ACCOUNT = 'childaccount-Q7M2KD';
export const SPACE = '796eeeb4-1b2f-4965-898a-7e443';
export const SECOND_SPACE = 'north/south & 50%';
export const OTHER_SPACE = 'b0a3c1de-0000-4000-8000-0000000000ff';

/** Short, unmistakable and never the same twice. */
export function unique(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

export class World {
  private readonly sessions = new Map<string, Cookie[]>();

  private constructor(
    readonly program: Program,
    readonly first: Admin,
    /** Two admins of the first account, and one of the other. */
    readonly anna: Admin,
    readonly ben: Admin,
    readonly carla: Admin,
    readonly api: Api,
    readonly otherApi: Api,
  ) {}

  static async launch(settings: Environment = {}): Promise<World> {
    const program = await Program.launch(settings);
    try {
      await createSpace(program, ACCOUNT, SPACE, 'Main Space');
      await createSpace(program, ACCOUNT, SECOND_SPACE, 'Second Space');
      await createSpace(program, OTHER_ACCOUNT, OTHER_SPACE, 'Elsewhere');
      await program.run(['catalogue', 'import', '--space', SPACE, join(__dirname, '../fixtures/catalogue.json')]);
      return new World(
        program,
        FIRST_ADMIN,
        await createAdmin(program, 'anna', ACCOUNT),
        await createAdmin(program, 'ben', ACCOUNT),
        await createAdmin(program, 'carla', OTHER_ACCOUNT),
        await Api.of(program, ACCOUNT),
        await Api.of(program, OTHER_ACCOUNT),
      );
    } catch (error) {
      await program.dispose();
      throw error;
    }
  }

  /** One more admin of the first account, for a test that ends sessions. */
  newAdmin(): Promise<Admin> {
    return createAdmin(this.program, unique('admin'), ACCOUNT);
  }

  /** A connection key that nothing else uses; `same` fixes some of its parts. */
  newKey(same: Partial<Key> = {}): Key {
    return {
      space: SPACE,
      instance: unique('instance'),
      environment: unique('environment'),
      process: unique('process'),
      connection: unique('connection'),
      ...same,
    };
  }

  /** A new key whose form exists, holding `details`. */
  async connection(details: object = {}, same: Partial<Key> = {}): Promise<Key> {
    const key = this.newKey(same);
    await this.api.save(key, details);
    return key;
  }

  /** The cookies of a signed-in admin; signing in happens once for each. */
  async session(browser: Browser, admin: Admin): Promise<Cookie[]> {
    const known = this.sessions.get(admin.email);
    if (known) return known;
    const context = await browser.newContext({ baseURL: this.program.url });
    const page = await context.newPage();
    await page.goto('/login');
    await signIn(page, admin);
    await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
    const cookies = await context.cookies();
    await context.close();
    this.sessions.set(admin.email, cookies);
    return cookies;
  }
}

async function createSpace(program: Program, account: string, guid: string, name: string): Promise<void> {
  await program.run(['space', 'create', '--account', account, '--guid', guid, '--name', name]);
}

async function createAdmin(program: Program, name: string, account: string): Promise<Admin> {
  const admin = { email: `${name}@example.test`, password: `${name} has a long password` };
  await program.run(['admin', 'create', '--email', admin.email, '--account', account], `${admin.password}\n`);
  return admin;
}
