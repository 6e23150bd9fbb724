/** A short stable name of a text: 64 bits of FNV-1a in hexadecimal, as two groups of four and two of eight digits fold to xxxx-xxxx. */
export function fingerprint(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit ^ (a >>> 13), 0x85ebca6b);
  }
  const group = (value: number): string => ((value ^ (value >>> 16)) & 0xffff).toString(16).padStart(4, '0');
  return `${group(a)}-${group(b)}`;
}
