// The first rows of a file, read in the browser before anything is uploaded. The platform reads the whole
// file by the same rules, and has the last word.
export interface FirstRows {
  columns: string[];
  /** Which of the columns holds the numbers. */
  phone: number;
  rows: string[][];
  /** A `.txt`: no header, one number per line. */
  isList: boolean;
}

const PHONE_COLUMNS = ["phone", "phone_number", "msisdn", "number"];
const DELIMITERS = [",", ";", "\t"] as const;
const HEAD_BYTES = 64 * 1024;

/**
 * Read the beginning of a file.
 *
 * @throws TypeError when it is not UTF-8 text.
 */
export async function readHead(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const isWhole = file.size <= HEAD_BYTES;
  // A character may be cut in two at the end of the piece: `stream` leaves its half out.
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: !isWhole });
  if (text.includes("\0")) throw new TypeError("not text");
  return isWhole ? text : text.slice(0, text.lastIndexOf("\n") + 1);
}

/** The first rows of a text; null when there is nothing in it. */
export function firstRows(text: string, name: string, limit = 5): FirstRows | null {
  const isList = !name.toLowerCase().endsWith(".csv");
  if (isList) {
    const lines = text.split(/\r\n|\r|\n/).filter((line) => line.trim());
    if (lines.length === 0) return null;
    return {
      columns: [""],
      phone: 0,
      rows: lines.slice(0, limit).map((one) => [one.trim()]),
      isList,
    };
  }
  const records = recordsOf(text, limit + 1);
  const [header, ...rows] = records;
  if (!header) return null;
  const columns = header.map((cell) => unmarked(cell).trim());
  const folded = columns.map((column) => column.toLowerCase());
  const named = PHONE_COLUMNS.map((column) => folded.indexOf(column)).find((at) => at >= 0);
  return { columns, phone: named ?? 0, rows: rows.map((row) => row.map(unmarked)), isList };
}

/** What of a row can stand in a message: every named column but the phone. */
export function variablesOf({ columns, phone, rows }: FirstRows): Record<string, string> {
  const [first = []] = rows;
  return Object.fromEntries(
    columns.flatMap((name, at) => (name && at !== phone ? [[name, first[at] ?? ""]] : [])),
  );
}

function recordsOf(text: string, limit: number): string[][] {
  const delimiter = delimiterOf(text);
  const records: string[][] = [];
  let record: string[] = [];
  let cell = "";
  let quoted = false;
  const endRecord = () => {
    record.push(cell);
    if (record.some((one) => one.trim())) records.push(record);
    record = [];
    cell = "";
  };
  for (let at = 0; at < text.length && records.length < limit; at += 1) {
    const one = text[at];
    if (quoted) {
      if (one !== '"') cell += one;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (one === '"' && cell === "") quoted = true;
    else if (one === delimiter) {
      record.push(cell);
      cell = "";
    } else if (one === "\n" || one === "\r") {
      if (one === "\r" && text[at + 1] === "\n") at += 1;
      endRecord();
    } else cell += one;
  }
  if (records.length < limit && (cell || record.length > 0) && !quoted) endRecord();
  return records;
}

function delimiterOf(text: string): string {
  const header = text.split(/\r\n|\r|\n/).find((line) => line.trim()) ?? "";
  const unquoted = header
    .split('"')
    .filter((_, place) => place % 2 === 0)
    .join("");
  const counted = DELIMITERS.map((one) => unquoted.split(one).length);
  return DELIMITERS[counted.indexOf(Math.max(...counted))] ?? ",";
}

/** A cell without what a spreadsheet puts before it. */
function unmarked(cell: string): string {
  if (cell.startsWith("=")) return cell.replace(/^="?(.*?)"?$/s, "$1");
  return /^'[+\d=@-]/.test(cell) ? cell.slice(1) : cell;
}
