/** localStorage where the browser lets us, memory where it does not (closed storage, full storage). */
const memory = new Map<string, string>();
const disk = open();

export const read = (key: string): string | null => memory.get(key) ?? disk?.getItem(key) ?? null;

export function write(key: string, value: string): void {
  try {
    disk?.setItem(key, value);
    if (disk === null) memory.set(key, value);
    else memory.delete(key);
  } catch (error) {
    console.warn('OKLA: storage is full; what comes now is kept until the page closes.', error);
    memory.set(key, value);
  }
}

export function remove(key: string): void {
  memory.delete(key);
  disk?.removeItem(key);
}

/** Keys that start so, from both places. */
export function keys(prefix: string): string[] {
  const found = [...memory.keys()];
  for (let index = 0; index < (disk?.length ?? 0); index++) found.push(disk!.key(index)!);
  return [...new Set(found)].filter((key) => key.startsWith(prefix));
}

function open(): Storage | null {
  try {
    return window.localStorage;
  } catch (error) {
    console.warn('OKLA: storage is closed; the visitor is forgotten when the page closes.', error);
    return null;
  }
}
