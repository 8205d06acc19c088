let lastTime = 0;
let sequence = 0;

/** A version 7 UUID (RFC 9562, section 5.7): 48 bits of milliseconds, then a counter that keeps ids of one millisecond in order, then chance. */
export function uuid7(now = Date.now()): string {
  // Ids of one page stay in order even when its clock is set back.
  sequence = now > lastTime ? 0 : sequence + 1;
  if (sequence > 0xfff) {
    sequence = 0;
    lastTime += 1;
  }
  lastTime = Math.max(lastTime, now);

  const time = lastTime.toString(16).padStart(12, '0');
  const chance = crypto.getRandomValues(new Uint8Array(8));
  chance[0] = (chance[0]! & 0x3f) | 0x80;
  const tail = Array.from(chance, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence.toString(16).padStart(3, '0')}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}
