import { send } from "./client";

interface Picker {
  showSaveFilePicker?: (wish: { suggestedName: string }) => Promise<{
    createWritable: () => Promise<WritableStream<Uint8Array>>;
  }>;
}

/**
 * Save an answer as a file. Where the browser can, it goes to the disk as it comes, however big it is.
 *
 * @returns false when the person has changed their mind.
 * @throws ProblemError when there is no such report.
 */
export async function download(path: string, name: string): Promise<boolean> {
  const { showSaveFilePicker } = window as Picker;
  if (!showSaveFilePicker) {
    offer(await (await send(path)).blob(), name);
    return true;
  }
  try {
    // Asked for at once: a browser shows its dialog only right after a click.
    const file = await showSaveFilePicker.call(window, { suggestedName: name });
    const answer = await send(path);
    await answer.body?.pipeTo(await file.createWritable());
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return false;
    throw error;
  }
}

function offer(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
