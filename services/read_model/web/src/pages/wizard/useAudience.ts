import { useRef, useState } from "react";
import { texts } from "@/texts";
import { type FirstRows, firstRows, readHead } from "./rows";

/** The file with the contacts; it stays in this page's memory until it is uploaded. */
export interface Audience {
  file: File | null;
  rows: FirstRows | null;
  /** Why nothing can be shown of it. */
  problem: string | null;
  /** The name of a file that was chosen before the page was loaded again. */
  wanted: string | null;
  choose: (file: File | null) => void;
}

interface Read {
  file: File | null;
  rows: FirstRows | null;
  problem: string | null;
}
const NONE: Read = { file: null, rows: null, problem: null };

export function useAudience(before: string | null): Audience {
  const [read, setRead] = useState(NONE);
  const [wanted, setWanted] = useState(before);
  const newest = useRef<File | null>(null);
  const choose = (file: File | null) => {
    newest.current = file;
    setWanted(null);
    setRead({ ...NONE, file });
    if (!file) return;
    void firstOf(file).then((found) => {
      if (newest.current === file) setRead({ file, ...found });
    });
  };
  return { ...read, wanted, choose };
}

async function firstOf(file: File): Promise<Omit<Read, "file">> {
  try {
    const rows = firstRows(await readHead(file), file.name);
    return { rows, problem: rows ? null : texts.wizard.unreadable };
  } catch (error) {
    const isText = !(error instanceof TypeError);
    return { rows: null, problem: isText ? texts.wizard.unreadable : texts.wizard.notText };
  }
}
