// catalog-file.ts: the text of catalog.csv and toys.csv: read, checked whole, and written again.
//
//   name,price,quantity
//   Tux,15.99,100
//
// RFC 4180 with a header. Taken as well: a byte order mark, lines that end in LF, CRLF or CR, mixed as they come, blank lines
// and rows of empty cells anywhere, blanks around the names of columns and around numbers. The three columns may stand in
// any order. Columns beside them belong to whoever made the file: they mean nothing here, and are written back as they were.
// A file is either right in every row or refused with one line that names file, line and reason; it knows no disk.

import { NAME_BYTES_MAX, priceText, QUANTITY_MAX } from '../store-contract.js';
import { PRICE_CENTS_MAX, TOYS_MAX } from './catalog-limits.js';
import { BYTE_ORDER_MARK, lineOfRecord, recordsOf, refuse, requireUtf8 } from './csv-records.js';

/** The toys of a file, as columns: what is at index i belongs to the toy of row i. */
export interface CatalogRows {
  readonly names: readonly string[];
  /** Whole cents. */
  readonly pricesCents: Float64Array;
  readonly quantities: Uint32Array;
  /** The header, in the order of the file. */
  readonly columns: readonly string[];
  /** The cells of all columns, where there are more than the three that mean something. */
  readonly cells: readonly (readonly string[])[] | undefined;
}

const REQUIRED_COLUMNS = ['name', 'price', 'quantity'] as const;
/** What separates columns in files that are no CSV to us. */
const OTHER_SEPARATOR = /[;\t]/;
const CONTROL_CHARACTER = /\p{Cc}/u;
const NEEDS_QUOTES = /[",\r\n]/;

/** Where in a row the three columns stand. */
interface ColumnPlaces {
  readonly name: number;
  readonly price: number;
  readonly quantity: number;
}

/**
 * The toys in the bytes of a CSV file.
 *
 * @param path for messages only
 * @throws CatalogError BAD_FILE with one line that names file, line and reason
 */
export function parseCatalog(bytes: Buffer, path: string): CatalogRows {
  requireUtf8(bytes, path);
  let checker: RowChecker | undefined;
  let row = 0;
  for (const record of recordsOf(bytes, path)) {
    if (!isBlank(record)) {
      const reason = checker === undefined ? refuseHeader(record) : checker.add(record);
      if (reason !== undefined) throw refuse(path, lineOfRecord(bytes, row), reason);
      checker ??= new RowChecker(record);
    }
    row++;
  }
  if (checker === undefined) throw refuse(path, 1, 'the file is empty; it must begin with name,price,quantity');
  return checker.rows();
}

/**
 * Writes the toys back: the constant part of each row is made once, so that a checkpoint only puts the quantities in.
 */
export class CatalogText {
  readonly header: string;
  readonly #before: string[] = [];
  readonly #after: string[] | undefined;

  constructor(rows: CatalogRows) {
    const { columns, cells, names, pricesCents } = rows;
    const places = placeColumns(columns);
    this.header = `${columns.map(quoteCell).join(',')}\n`;
    const isPlain = cells === undefined && places.quantity === columns.length - 1;
    this.#after = isPlain ? undefined : [];
    for (let index = 0; index < names.length; index++) {
      const row = cells?.[index]?.slice() ?? new Array<string>(columns.length).fill('');
      row[places.name] = names[index] as string;
      row[places.price] = priceText(pricesCents[index] as number);
      const quoted = row.map(quoteCell);
      const before = quoted.slice(0, places.quantity).map((cell) => `${cell},`);
      this.#before.push(before.join(''));
      const after = quoted.slice(places.quantity + 1).map((cell) => `,${cell}`);
      this.#after?.push(after.join(''));
    }
  }

  /** The rows from `first` up to, not including, `end`, with the quantities given; each ends in a line feed. */
  render(quantities: Uint32Array, first: number, end: number): string {
    let text = '';
    for (let index = first; index < end; index++) {
      text += `${this.#before[index]}${quantities[index]}${this.#after?.[index] ?? ''}\n`;
    }
    return text;
  }
}

/** The cents of a price such as 19, 19.5 or 19.99; undefined where the text is none. */
export function parsePrice(text: string): number | undefined {
  const match = /^(\d{1,10})(?:\.(\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const cents = Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'));
  return cents <= PRICE_CENTS_MAX ? cents : undefined;
}

/** Checks rows one after the other and gathers their columns. */
class RowChecker {
  readonly #columns: readonly string[];
  readonly #places: ColumnPlaces;
  readonly #names = new Set<string>();
  readonly #pricesCents: number[] = [];
  readonly #quantities: number[] = [];
  readonly #cells: string[][] | undefined;

  /** @param header with the three columns in it */
  constructor(header: readonly string[]) {
    this.#columns = header;
    this.#places = placeColumns(header);
    this.#cells = header.length > REQUIRED_COLUMNS.length ? [] : undefined;
  }

  /** Takes the row in, or tells why not. */
  add(record: string[]): string | undefined {
    const { name: namePlace, price: pricePlace, quantity: quantityPlace } = this.#places;
    const { length } = this.#columns;
    if (record.length !== length) return `${record.length} fields instead of ${length}`;
    const name = record[namePlace] as string;
    const nameReason = refuseName(name);
    if (nameReason !== undefined) return nameReason;
    const cents = parsePrice((record[pricePlace] as string).trim());
    if (cents === undefined) {
      return `price is ${JSON.stringify(record[pricePlace])}: it must be a number such as 15.99, with at most two decimals`;
    }
    const quantity = parseQuantity((record[quantityPlace] as string).trim());
    if (quantity === undefined) {
      return `quantity is ${JSON.stringify(record[quantityPlace])}: it must be a whole number from 0 to ${QUANTITY_MAX}`;
    }
    if (this.#pricesCents.length === TOYS_MAX) return `more than ${TOYS_MAX} toys`;
    const { size } = this.#names;
    if (this.#names.add(name).size === size) return `name ${quoteName(name)} stands in the file twice`;
    this.#pricesCents.push(cents);
    this.#quantities.push(quantity);
    this.#cells?.push(record);
    return undefined;
  }

  rows(): CatalogRows {
    return {
      names: [...this.#names],
      pricesCents: Float64Array.from(this.#pricesCents),
      quantities: Uint32Array.from(this.#quantities),
      columns: this.#columns,
      cells: this.#cells,
    };
  }
}

function refuseName(name: string): string | undefined {
  if (name === '') return 'name is empty';
  // Nobody sees them, and nobody who asks for the toy would write them.
  if (name.trim() !== name) return `name ${quoteName(name)} begins or ends with a blank`;
  if (CONTROL_CHARACTER.test(name)) return `name ${quoteName(name)} holds a control character`;
  // A character takes at most three bytes for each of its UTF-16 units: most names need not be measured.
  if (name.length * 3 <= NAME_BYTES_MAX) return undefined;
  const bytes = Buffer.byteLength(name);
  return bytes > NAME_BYTES_MAX ? `name is ${bytes} bytes long: at most ${NAME_BYTES_MAX} are allowed` : undefined;
}

function parseQuantity(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const quantity = Number(text);
  return quantity <= QUANTITY_MAX ? quantity : undefined;
}

/** As JSON, with the control characters escaped that JSON leaves as they are. */
function quoteName(name: string): string {
  return JSON.stringify(name).replaceAll(/\p{Cc}/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Whether the record is an empty line, or a row of empty cells as spreadsheets write it. */
function isBlank(record: readonly string[]): boolean {
  return record.every((cell) => cell.trim() === '');
}

function refuseHeader(header: readonly string[]): string | undefined {
  const names = header.map((column) => column.trim());
  const separator = names.length === 1 ? OTHER_SEPARATOR.exec(header[0] as string)?.[0] : undefined;
  if (separator !== undefined) {
    return `the columns are separated by ${JSON.stringify(separator)}: they must be separated by commas`;
  }
  for (const column of REQUIRED_COLUMNS) {
    const place = names.indexOf(column);
    if (place === -1) return `column ${column} is missing: the header must have name,price,quantity`;
    if (names.indexOf(column, place + 1) !== -1) return `column ${column} stands in the header twice`;
  }
  return undefined;
}

function placeColumns(header: readonly string[]): ColumnPlaces {
  const names = header.map((column) => column.trim());
  return { name: names.indexOf('name'), price: names.indexOf('price'), quantity: names.indexOf('quantity') };
}

function quoteCell(cell: string): string {
  // A mark at the start of the first cell would be taken for the file's own.
  const needsQuotes = NEEDS_QUOTES.test(cell) || cell.startsWith(BYTE_ORDER_MARK);
  return needsQuotes ? `"${cell.replaceAll('"', '""')}"` : cell;
}
