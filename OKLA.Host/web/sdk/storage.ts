/** localStorage where the browser lets us, memory where it does not (closed storage, full storage). */
const memory = new Map<string, string>();
const disk = open();
let warned = false;

export const read = (key: string): string | null => memory.get(key) ?? disk?.getItem(key) ?? null;

/** Keeps a value; for the length of the page alone where nothing may be left on the device. Answers whether it outlives the page. */
export function write(key: string, value: string, lasting = true): boolean {
  memory.set(key, value);
  if (disk === null || !lasting) return false;
  try {
    disk.setItem(key, value);
    memory.delete(key);
    return true;
  } catch (error) {
    if (!warned) console.warn('OKLA: storage is full.', error);
    warned = true;
    return false;
  }
}

export function remove(key: string): void {
  memory.delete(key);
  disk?.removeItem(key);
}

/** Keys that start so, from both places. */
export const keys = (prefix: string): string[] => [...new Set([...memory.keys(), ...Object.keys(disk ?? {})])].filter((key) => key.startsWith(prefix));

function open(): Storage | null {
  try {
    return window.localStorage;
  } catch (error) {
    console.warn('OKLA: storage is closed.', error);
    return null;
  }
}
