// The connector form as a person meets it: by its visible labels.
import { expect, type Locator, type Page } from '@playwright/test';
import { formPath, type Key } from './api';
import { open, scripted, settled } from './pages';

export const AUTHORIZATION = 'Authorization Parameters';
export const ACCESS_TOKEN = 'Access Token Parameters';
export type Table = typeof AUTHORIZATION | typeof ACCESS_TOKEN;
export type Label = 'Base URL' | 'Company ID' | 'Client ID';
export type Row = [key: string, value: string];

export interface Content {
  'Base URL': string;
  'Company ID': string;
  'Client ID': string;
  'Authorization Parameters': Row[];
  'Access Token Parameters': Row[];
}

export const EMPTY: Content = {
  'Base URL': '',
  'Company ID': '',
  'Client ID': '',
  'Authorization Parameters': [],
  'Access Token Parameters': [],
};

export const SAMPLE: Content = {
  'Base URL': 'https://api.shop.example/v2',
  'Company ID': '9341452451293689',
  'Client ID': 'shop-client-7',
  'Authorization Parameters': [
    ['prompt', 'consent login'],
    ['audience', 'https://api.shop.example'],
  ],
  'Access Token Parameters': [['resource', 'urn:shop:orders']],
};

/** The content as the API keeps it. */
export function asDetails(content: Content): Record<string, unknown> {
  return {
    baseURL: content['Base URL'],
    companyId: content['Company ID'],
    clientId: content['Client ID'],
    authParams: Object.fromEntries(content[AUTHORIZATION]),
    accessTokenParams: Object.fromEntries(content[ACCESS_TOKEN]),
  };
}

const LABELS: Label[] = ['Base URL', 'Company ID', 'Client ID'];
const TABLES: Table[] = [AUTHORIZATION, ACCESS_TOKEN];

export class ConnectorForm {
  readonly status: Locator;
  readonly summary: Locator;
  readonly conflict: Locator;
  readonly draftNote: Locator;
  /** The state of the connection, in the header. */
  readonly state: Locator;

  constructor(
    readonly page: Page,
    readonly key: Key,
  ) {
    this.status = page.locator('#keep-status');
    this.summary = page.getByRole('alert');
    this.conflict = page.getByRole('heading', { name: 'Somebody else saved this connection' });
    this.state = page.locator('.page-header dl > div').filter({ has: page.getByText('Status', { exact: true }) }).locator('.status');
    this.draftNote = page.getByText('Kept as your draft. Save puts it into effect.');
  }

  static async open(page: Page, key: Key): Promise<ConnectorForm> {
    await open(page, formPath(key));
    const form = new ConnectorForm(page, key);
    await expect(form.button('Save')).toBeVisible();
    return form;
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await settled(this.page);
  }

  field(label: Label): Locator {
    return this.page.getByLabel(label, { exact: true }).and(this.page.locator('input:not([type=radio])'));
  }

  /** A cell of a table; rows count from 1. */
  cell(table: Table, column: 'key' | 'value', row: number): Locator {
    return this.page.getByLabel(`${table} ${column} ${row}`, { exact: true });
  }

  rowKeys(table: Table): Locator {
    return this.page.getByLabel(new RegExp(`^${table} key \\d+$`));
  }

  button(name: 'Save' | 'Discard changes' | 'Save my choices'): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  async addRow(table: Table): Promise<void> {
    const before = await this.rowKeys(table).count();
    await this.page.getByRole('group', { name: table }).getByRole('button', { name: /^Add Property/ }).click();
    // More than one where another tab added rows meanwhile.
    await expect.poll(() => this.rowKeys(table).count()).toBeGreaterThan(before);
    await settled(this.page);
  }

  async deleteRow(table: Table, row: number): Promise<void> {
    await this.page.getByRole('button', { name: `Delete row ${row} of ${table}`, exact: true }).click();
    await settled(this.page);
  }

  async fillRows(table: Table, rows: Row[]): Promise<void> {
    for (const [index, [key, value]] of rows.entries()) {
      if ((await this.rowKeys(table).count()) <= index) await this.addRow(table);
      await this.cell(table, 'key', index + 1).fill(key);
      await this.cell(table, 'value', index + 1).fill(value);
    }
  }

  async fill(content: Partial<Content>): Promise<void> {
    for (const label of LABELS) {
      const value = content[label];
      if (value !== undefined) await this.field(label).fill(value);
    }
    for (const table of TABLES) await this.fillRows(table, content[table] ?? []);
  }

  /** What the fields hold now; rows with neither key nor value are left out. */
  async content(): Promise<Content> {
    const rows = async (table: Table): Promise<Row[]> => {
      const found: Row[] = [];
      const count = await this.rowKeys(table).count();
      for (let row = 1; row <= count; row += 1) {
        found.push([await this.cell(table, 'key', row).inputValue(), await this.cell(table, 'value', row).inputValue()]);
      }
      return found.filter(([key, value]) => key !== '' || value !== '');
    };
    return {
      'Base URL': await this.field('Base URL').inputValue(),
      'Company ID': await this.field('Company ID').inputValue(),
      'Client ID': await this.field('Client ID').inputValue(),
      'Authorization Parameters': await rows(AUTHORIZATION),
      'Access Token Parameters': await rows(ACCESS_TOKEN),
    };
  }

  /** The form shows exactly this; fields not named are empty. */
  async expectContent(content: Partial<Content>): Promise<void> {
    await expect.poll(() => this.content()).toEqual({ ...EMPTY, ...content });
  }

  async save(): Promise<void> {
    await this.button('Save').click();
    await expect(this.status).toHaveText(/^\s*Saved/);
    await settled(this.page);
  }

  /** Until the server has what was typed: by itself with JavaScript, by any button without. */
  async keep(): Promise<void> {
    if (scripted()) await expect(this.status).toHaveText(/All changes kept/);
    else await this.addRow(ACCESS_TOKEN);
  }
}

/** Goes through the panel of a conflict, choosing a side for each part it names. */
export async function resolve(form: ConnectorForm, choices: Partial<Record<Label | Table | 'Identity provider', 'saved' | 'mine'>>): Promise<void> {
  for (const [label, side] of Object.entries(choices)) {
    const row = form.page.getByRole('row').filter({ has: form.page.getByRole('rowheader', { name: label, exact: true }) });
    await row.getByRole('radio', { name: side === 'saved' ? /^Keep saved/ : /^Use mine/ }).check();
  }
  await form.button('Save my choices').click();
  await expect(form.status).toHaveText(/^\s*Saved/);
  await expect(form.conflict).toBeHidden();
}
